-- SKUs that were out of stock when they were ordered: how many orders, and how many pieces were missing.
-- chart: sku, missing_pieces
WITH failed AS (
  SELECT
    json_extract_scalar(detail, '$.metadata.id') AS id,
    min(detail) AS detail
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'StockReservationFailed.v1'
  GROUP BY json_extract_scalar(detail, '$.metadata.id') -- an event may be there twice
), shortages AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    json_extract_scalar(detail, '$.data.shortages[' || CAST(line AS varchar) || '].sku') AS sku,
    CAST(json_extract_scalar(detail, '$.data.shortages[' || CAST(line AS varchar) || '].requested') AS bigint) AS requested,
    CAST(json_extract_scalar(detail, '$.data.shortages[' || CAST(line AS varchar) || '].available') AS bigint) AS available
  FROM failed
  CROSS JOIN UNNEST(sequence(0, json_array_length(json_extract(detail, '$.data.shortages')) - 1)) AS numbers (line)
)
SELECT
  sku,
  count(DISTINCT order_id) AS orders,
  sum(requested) AS requested_pieces,
  sum(requested - available) AS missing_pieces
FROM shortages
GROUP BY sku
ORDER BY missing_pieces DESC, sku
LIMIT 20

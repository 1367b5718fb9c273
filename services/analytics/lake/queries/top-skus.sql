-- The 20 SKUs of which most pieces were ordered, and how many of these in orders that were cancelled.
-- chart: sku, pieces, currency
WITH orders AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(CASE WHEN event_type = 'OrderPlaced.v1' THEN event_date END) AS day,
    min(CASE WHEN event_type = 'OrderPlaced.v1' THEN detail END) AS placed,
    max(CASE WHEN event_type = 'OrderCancelled.v1' THEN 1 ELSE 0 END) AS cancelled
  FROM events
  WHERE event_date >= ? -- an order may be cancelled days later
    AND event_type IN ('OrderPlaced.v1', 'OrderCancelled.v1')
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
), order_lines AS (
  SELECT
    order_id,
    cancelled,
    json_extract_scalar(placed, '$.data.total.currency') AS currency,
    json_extract_scalar(placed, '$.data.lines[' || CAST(line AS varchar) || '].sku') AS sku,
    CAST(json_extract_scalar(placed, '$.data.lines[' || CAST(line AS varchar) || '].quantity') AS bigint) AS pieces,
    CAST(json_extract_scalar(placed, '$.data.lines[' || CAST(line AS varchar) || '].unitPrice') AS bigint) AS price
  FROM orders
  CROSS JOIN UNNEST(sequence(0, json_array_length(json_extract(placed, '$.data.lines')) - 1)) AS numbers (line)
  WHERE day <= ?
)
SELECT
  sku,
  currency,
  count(DISTINCT order_id) AS orders,
  sum(pieces) AS pieces,
  sum(pieces * price) AS amount,
  sum(CASE WHEN cancelled = 1 THEN pieces ELSE 0 END) AS cancelled_pieces
FROM order_lines
GROUP BY sku, currency
ORDER BY pieces DESC, sku, currency
LIMIT 20

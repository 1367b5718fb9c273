-- The 20 products that most sessions looked at, and how often they were ordered: orders for each hundred sessions.
-- chart: sku, orders_per_100_sessions
WITH viewed AS (
  SELECT sku, count(DISTINCT session_id) AS sessions
  FROM views
  WHERE view_date BETWEEN ? AND ?
    AND page = 'product'
  GROUP BY sku
), placed AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(detail) AS detail
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'OrderPlaced.v1'
  GROUP BY json_extract_scalar(detail, '$.data.orderId') -- an event may be there twice
), order_lines AS (
  SELECT
    order_id,
    json_extract_scalar(detail, '$.data.lines[' || CAST(line AS varchar) || '].sku') AS sku,
    CAST(json_extract_scalar(detail, '$.data.lines[' || CAST(line AS varchar) || '].quantity') AS bigint) AS pieces
  FROM placed
  CROSS JOIN UNNEST(sequence(0, json_array_length(json_extract(detail, '$.data.lines')) - 1)) AS numbers (line)
), ordered AS (
  SELECT sku, count(DISTINCT order_id) AS orders, sum(pieces) AS pieces
  FROM order_lines
  GROUP BY sku
)
SELECT
  viewed.sku AS sku,
  viewed.sessions AS sessions,
  coalesce(ordered.orders, 0) AS orders,
  coalesce(ordered.pieces, 0) AS pieces,
  round(100 * CAST(coalesce(ordered.orders, 0) AS double) / CAST(viewed.sessions AS double), 1) AS orders_per_100_sessions
FROM viewed
LEFT JOIN ordered ON ordered.sku = viewed.sku
ORDER BY sessions DESC, sku
LIMIT 20

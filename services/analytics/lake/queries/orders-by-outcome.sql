-- What became of the orders of each day: confirmed, cancelled, or open still.
-- chart: day, placed
WITH orders AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(CASE WHEN event_type = 'OrderPlaced.v1' THEN event_date END) AS day,
    max(CASE WHEN event_type = 'OrderConfirmed.v1' THEN 1 ELSE 0 END) AS confirmed,
    max(CASE WHEN event_type = 'OrderCancelled.v1' THEN 1 ELSE 0 END) AS cancelled
  FROM events
  WHERE event_date >= ? -- what became of an order may be known days later
    AND event_type IN ('OrderPlaced.v1', 'OrderConfirmed.v1', 'OrderCancelled.v1')
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
)
SELECT
  day,
  count(*) AS placed,
  sum(CASE WHEN cancelled = 0 THEN confirmed ELSE 0 END) AS confirmed,
  sum(cancelled) AS cancelled,
  sum(CASE WHEN confirmed + cancelled = 0 THEN 1 ELSE 0 END) AS still_open
FROM orders
WHERE day <= ?
GROUP BY day
ORDER BY day

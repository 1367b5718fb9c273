-- Seconds from the order to its confirmation, by the day of the order.
-- chart: day, average_seconds
WITH orders AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(CASE WHEN event_type = 'OrderPlaced.v1' THEN event_date END) AS day,
    min(CASE WHEN event_type = 'OrderPlaced.v1'
      THEN to_unixtime(from_iso8601_timestamp(json_extract_scalar(detail, '$.metadata.timestamp'))) END) AS placed,
    min(CASE WHEN event_type = 'OrderConfirmed.v1'
      THEN to_unixtime(from_iso8601_timestamp(json_extract_scalar(detail, '$.metadata.timestamp'))) END) AS confirmed
  FROM events
  WHERE event_date >= ? -- an order may be confirmed after midnight
    AND event_type IN ('OrderPlaced.v1', 'OrderConfirmed.v1')
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
)
SELECT
  day,
  count(*) AS confirmed_orders,
  round(min(confirmed - placed), 3) AS shortest_seconds,
  round(avg(confirmed - placed), 3) AS average_seconds,
  round(max(confirmed - placed), 3) AS longest_seconds
FROM orders
WHERE day <= ? AND confirmed IS NOT NULL
GROUP BY day
ORDER BY day

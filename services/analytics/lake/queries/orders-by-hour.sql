-- Orders by the hour of the day, in UTC.
-- chart: hour, orders
WITH placed AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(substr(json_extract_scalar(detail, '$.metadata.timestamp'), 12, 2)) AS hour
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'OrderPlaced.v1'
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
)
SELECT hour, count(*) AS orders
FROM placed
GROUP BY hour
ORDER BY hour

-- Cancelled orders by reason and currency, and what they would have brought, in minor units.
-- chart: reason, orders, currency
WITH cancelled AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(json_extract_scalar(detail, '$.data.reason')) AS reason,
    min(json_extract_scalar(detail, '$.data.total.currency')) AS currency,
    min(CAST(json_extract_scalar(detail, '$.data.total.amount') AS bigint)) AS amount
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'OrderCancelled.v1'
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
)
SELECT reason, currency, count(*) AS orders, sum(amount) AS lost
FROM cancelled
GROUP BY reason, currency
ORDER BY orders DESC, reason, currency

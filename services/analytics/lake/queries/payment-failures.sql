-- Refused payments by day and reason, with the amounts in minor units.
-- chart: day, failures, reason
WITH failed AS (
  SELECT
    json_extract_scalar(detail, '$.metadata.id') AS id,
    min(event_date) AS day,
    min(json_extract_scalar(detail, '$.data.reason')) AS reason,
    min(json_extract_scalar(detail, '$.data.orderId')) AS order_id,
    min(json_extract_scalar(detail, '$.data.amount.currency')) AS currency,
    min(CAST(json_extract_scalar(detail, '$.data.amount.amount') AS bigint)) AS amount
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'PaymentFailed.v1'
  GROUP BY json_extract_scalar(detail, '$.metadata.id') -- an event may be there twice
)
SELECT day, reason, currency, count(*) AS failures, count(DISTINCT order_id) AS orders, sum(amount) AS amount
FROM failed
GROUP BY day, reason, currency
ORDER BY day, failures DESC, reason, currency

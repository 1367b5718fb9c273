-- Money taken, returned and kept by day and currency, in minor units (cents).
-- chart: day, net, currency
WITH payments AS (
  SELECT
    json_extract_scalar(detail, '$.metadata.id') AS id,
    min(event_date) AS day,
    min(event_type) AS event_type,
    min(coalesce(
      json_extract_scalar(detail, '$.data.total.currency'),
      json_extract_scalar(detail, '$.data.amount.currency')
    )) AS currency,
    min(CAST(coalesce(
      json_extract_scalar(detail, '$.data.total.amount'),
      json_extract_scalar(detail, '$.data.amount.amount')
    ) AS bigint)) AS amount
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type IN ('PaymentProcessed.v1', 'PaymentRefunded.v1')
  GROUP BY json_extract_scalar(detail, '$.metadata.id') -- an event may be there twice
)
SELECT
  day,
  currency,
  sum(CASE WHEN event_type = 'PaymentProcessed.v1' THEN 1 ELSE 0 END) AS payments,
  sum(CASE WHEN event_type = 'PaymentProcessed.v1' THEN amount ELSE 0 END) AS taken,
  sum(CASE WHEN event_type = 'PaymentRefunded.v1' THEN amount ELSE 0 END) AS refunded,
  sum(CASE WHEN event_type = 'PaymentProcessed.v1' THEN amount ELSE -amount END) AS net
FROM payments
GROUP BY day, currency
ORDER BY day, currency

-- Orders by day and currency: how many, and what they are worth, in minor units.
-- chart: day, average, currency
WITH placed AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(event_date) AS day,
    min(json_extract_scalar(detail, '$.data.total.currency')) AS currency,
    min(CAST(json_extract_scalar(detail, '$.data.total.amount') AS bigint)) AS amount
  FROM events
  WHERE event_date BETWEEN ? AND ?
    AND event_type = 'OrderPlaced.v1'
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
)
SELECT
  day,
  currency,
  count(*) AS orders,
  sum(amount) AS total,
  round(CAST(sum(amount) AS double) / CAST(count(*) AS double), 2) AS average,
  min(amount) AS smallest,
  max(amount) AS largest
FROM placed
GROUP BY day, currency
ORDER BY day, currency

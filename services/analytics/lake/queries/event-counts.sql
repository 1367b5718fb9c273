-- Events by day and type, and how many further copies of them are in the lake.
-- chart: day, events, event_type
SELECT
  event_date AS day,
  event_type,
  count(DISTINCT json_extract_scalar(detail, '$.metadata.id')) AS events,
  count(*) - count(DISTINCT json_extract_scalar(detail, '$.metadata.id')) AS copies
FROM events
WHERE event_date BETWEEN ? AND ?
GROUP BY event_date, event_type
ORDER BY day, event_type

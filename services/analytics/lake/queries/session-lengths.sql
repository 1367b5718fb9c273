-- Sessions by their number of views, and how long they took on average.
-- chart: views, sessions
WITH sessions AS (
  SELECT
    session_id,
    count(DISTINCT id) AS views, -- a view may be there twice
    to_unixtime(from_iso8601_timestamp(max(viewed_at))) - to_unixtime(from_iso8601_timestamp(min(viewed_at))) AS seconds
  FROM views
  WHERE view_date BETWEEN ? AND ?
  GROUP BY session_id
), lengths AS (
  SELECT
    CASE WHEN views = 1 THEN 1 WHEN views <= 3 THEN 2 WHEN views <= 6 THEN 3 WHEN views <= 12 THEN 4 ELSE 5 END AS place,
    CASE
      WHEN views = 1 THEN '1'
      WHEN views <= 3 THEN '2 to 3'
      WHEN views <= 6 THEN '4 to 6'
      WHEN views <= 12 THEN '7 to 12'
      ELSE '13 and more'
    END AS length,
    seconds
  FROM sessions
)
SELECT length AS views, count(*) AS sessions, round(avg(seconds), 1) AS average_seconds
FROM lengths
GROUP BY length, place
ORDER BY place

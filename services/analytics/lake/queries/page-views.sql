-- Views by day and page, and the sessions in which they were.
-- chart: day, views, page
SELECT
  view_date AS day,
  page,
  count(DISTINCT id) AS views, -- a view may be there twice
  count(DISTINCT session_id) AS sessions
FROM views
WHERE view_date BETWEEN ? AND ?
GROUP BY view_date, page
ORDER BY day, views DESC, page

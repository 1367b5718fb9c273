-- The ten products of each day that most sessions looked at.
-- chart: day, sessions, sku
WITH products AS (
  SELECT
    view_date AS day,
    sku,
    count(DISTINCT id) AS views, -- a view may be there twice
    count(DISTINCT session_id) AS sessions
  FROM views
  WHERE view_date BETWEEN ? AND ?
    AND page = 'product'
  GROUP BY view_date, sku
), ranked AS (
  SELECT day, sku, views, sessions, row_number() OVER (PARTITION BY day ORDER BY sessions DESC, sku) AS place
  FROM products
)
SELECT day, sku, views, sessions
FROM ranked
WHERE place <= 10
ORDER BY day, place

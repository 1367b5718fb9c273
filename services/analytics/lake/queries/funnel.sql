-- How far the orders of these days came: placed, reserved, paid, shipment, confirmed, delivered.
-- chart: step, orders
WITH orders AS (
  SELECT
    json_extract_scalar(detail, '$.data.orderId') AS order_id,
    min(CASE WHEN event_type = 'OrderPlaced.v1' THEN event_date END) AS day,
    max(CASE WHEN event_type = 'StockReserved.v1' THEN 1 ELSE 0 END) AS reserved,
    max(CASE WHEN event_type = 'PaymentProcessed.v1' THEN 1 ELSE 0 END) AS paid,
    max(CASE WHEN event_type = 'ShipmentCreated.v1' THEN 1 ELSE 0 END) AS shipment,
    max(CASE WHEN event_type = 'OrderConfirmed.v1' THEN 1 ELSE 0 END) AS confirmed,
    -- What is picked up is delivered. Parcels do not tell when they arrive.
    max(CASE WHEN event_type IN ('OrderHandedOver.v1') THEN 1 ELSE 0 END) AS delivered
  FROM events
  WHERE event_date >= ? -- an order of the last day goes on after it
    AND event_type IN (
      'OrderPlaced.v1', 'StockReserved.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1', 'OrderConfirmed.v1',
      'OrderHandedOver.v1'
    )
  GROUP BY json_extract_scalar(detail, '$.data.orderId')
), totals AS (
  SELECT
    count(*) AS placed,
    coalesce(sum(reserved), 0) AS reserved,
    coalesce(sum(paid), 0) AS paid,
    coalesce(sum(shipment), 0) AS shipment,
    coalesce(sum(confirmed), 0) AS confirmed,
    coalesce(sum(delivered), 0) AS delivered
  FROM orders
  WHERE day <= ?
), steps AS (
  SELECT 1 AS position, 'placed' AS step, placed AS orders, placed FROM totals
  UNION ALL SELECT 2, 'reserved', reserved, placed FROM totals
  UNION ALL SELECT 3, 'paid', paid, placed FROM totals
  UNION ALL SELECT 4, 'shipment', shipment, placed FROM totals
  UNION ALL SELECT 5, 'confirmed', confirmed, placed FROM totals
  UNION ALL SELECT 6, 'delivered', delivered, placed FROM totals
)
SELECT
  step,
  orders,
  round(100 * CAST(orders AS double) / CAST(nullif(placed, 0) AS double), 1) AS percent_of_placed
FROM steps
ORDER BY position

/**
 * What short texts are compressed with, by number: what events look like, so that only their values take room. zstd refers to it
 * for each piece that an event has in common with it, and finds the pieces that are near its end by shorter references.
 * https://facebook.github.io/zstd/#small-data
 *
 * Never change a dictionary: what was stored with it can be read with it alone. A better one gets a number of its own, which every
 * reader must know before the first writer uses it. Nothing in it is personal.
 */
export const dictionaries: Readonly<Record<number, Buffer>> = {
  1: Buffer.from(
    [
      '{"type":"OrderConfirmed","trackingNumber":"MR"}{"type":"OrderCancelled","reason":"OUT_OF_STOCK","detail":"Out of stock: "',
      '"PAYMENT_FAILED","detail":"The payment was refused: card_declined""CUSTOMER_REQUEST","detail":"Cancelled at your request"}',
      '"name":"StockReservationFailed","shortages":[{"sku":"","requested":,"available":0}]"name":"StockReleased","name":"StockRanLow"',
      '"name":"StockCounted","counted":,"expected":,"difference":,"available":,"reserved":,"lowStockThreshold":',
      '"name":"PaymentFailed","reason":"insufficient_funds","amount":{"amount":,"currency":"USD"}"name":"PaymentRefunded","refundId":"re_',
      '"name":"OrderShipped"name":"OrderDelivered","name":"OrderFulfilled","name":"OrderReturned","name":"ShipmentCreated",',
      '"subdomain":"fulfillment","service":"fulfillment","team":"fulfillment","owner":"fulfillment","data":{"shipmentId":"',
      '"name":"StockReserved","subdomain":"inventory","service":"inventory","team":"inventory","owner":"inventory",',
      '"name":"PaymentProcessed","subdomain":"payments","service":"payments","team":"payments","owner":"payments",',
      '"name":"OrderConfirmed","name":"OrderCancelled","name":"OrderPlaced","subdomain":"orders","service":"orders","team":"orders",',
      '"owner":"orders","lifecycleStage":"dev","lifecycleStage":"staging","region":"us-east-1","region":"eu-central-1",',
      '"dataSensitivity":"internal"},"dataSensitivity":"none"},"jurisdiction":"eu","category":"operations",',
      '{"metadata":{"id":"","version":1,"name":"","timestamp":"2026-","timestampEpoch":17,"correlationId":"","causationId":"",',
      '"traceparent":"00-","domain":"commerce","category":"domain","type":"data","subject":"","sequence":1,"lifecycleStage":"prod",',
      '"jurisdiction":"global","dataSensitivity":"personal"},"data":{"type":"OrderPlaced","order":{"orderId":"","customer":{"id":"","name":"',
      '","email":"@example.com","phone":"+49"},"shippingAddress":{"line1":"","line2":"","city":"","postalCode":"","country":"DE"},',
      '"lines":[{"sku":"","quantity":1,"unitPrice":},{"sku":"","quantity":2,"unitPrice":}],"total":{"amount":,"currency":"EUR"},',
      '"paymentToken":"tok_approved","paymentId":"ch_","trackingNumber":"MR"}}',
    ].join(''),
  ),
};

/** The number of the dictionary that is written with. */
export const LATEST = 1;

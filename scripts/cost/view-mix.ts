/** Views of one visit, and how many of them a browser sends in one request. */
export const VIEWS_OF_A_VISIT = 6;
export const VIEWS_OF_A_REQUEST = 3;

/** What is assumed about views, for people. */
export const VIEW_MIX =
  `a visit has ${VIEWS_OF_A_VISIT} views, two of them of products, and sends ${VIEWS_OF_A_REQUEST} in each request; the consumer's batches are ` +
  'those of requests that follow each other without a pause; the figures are not read';

/** What is seen with a number from 0 on. */
export function plannedView(index: number): { page: string; sku?: string } {
  const pages = ['home', 'category', 'product', 'product', 'cart', 'checkout'];
  const page = pages[index % VIEWS_OF_A_VISIT] ?? 'home';
  return page === 'product' ? { page, sku: `SKU-${index % 20}` } : { page };
}

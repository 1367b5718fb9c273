/** `npm run test:dynamodb`: compares the embedded DynamoDB with another one by random requests. */
import { runTestDynamodb } from './test-dynamodb/index.ts';

await runTestDynamodb();

import { inlineDetail } from '@millrace/event-store';
import type { StreamRecord } from '@millrace/local/dynamodb-engine';
import type { AttributeValue } from 'aws-lambda';
import type { World } from '../world.ts';
import type { Effect } from './network.ts';

/** The tables of all services. */
export class Store {
  readonly #world: World;
  /** The events that were stored in an outbox, by id. */
  readonly storedEvents = new Map<string, { detailType: string; detail: string; at: number }>();

  readonly #ends = new Map<string, number[]>();

  constructor(world: World) {
    this.#world = world;
    const { engine, deployment } = world;
    for (const { input, timeToLive } of deployment.tables) {
      engine.execute('CreateTable', input);
      if (timeToLive) {
        engine.execute('UpdateTimeToLive', {
          TableName: input.TableName,
          TimeToLiveSpecification: { Enabled: true, AttributeName: timeToLive },
        });
      }
      engine.table(String(input.TableName))?.stream?.subscribe((record) => this.#remember(record));
    }
  }

  /** When an order was confirmed or cancelled, in ms since 1970. */
  endsOf(orderId: string): readonly number[] {
    return this.#ends.get(orderId) ?? [];
  }

  effectOf(operation: string, input: object): Effect {
    const { engine, random } = this.#world;
    if (operation !== 'TransactWriteItems') return () => engine.execute(operation, input);
    return () => {
      const transaction = engine.openTransaction(input);
      // Others can come in between; whoever touches an item of it gets a conflict.
      return { later: random.between(0, 6), finish: () => transaction.commit() };
    };
  }

  #remember({ eventName, dynamodb: { NewImage } }: StreamRecord): void {
    const outbox = NewImage?.outbox;
    if (eventName !== 'INSERT' || !outbox || !('M' in outbox)) return;
    const { detailType } = outbox.M;
    const detail = inlineDetail(outbox as AttributeValue);
    if (!detailType || !('S' in detailType) || !detail) return;
    const { id, subject } = JSON.parse(detail).metadata;
    const at = this.#world.scheduler.now;
    this.storedEvents.set(id, { detailType: detailType.S, detail, at });
    if (/^Order(Confirmed|Cancelled)\./.test(detailType.S)) this.#ends.set(subject, [...this.endsOf(subject), at]);
  }
}

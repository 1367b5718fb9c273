import { eventBridge, sqs } from '@millrace/aws';
import {
  type DeadLetter,
  type ParkingReason,
  type ReemitRequest,
  type ReemitResult,
  readDeadLetter,
} from '@millrace/dead-letters';
import { variableFrom } from '@millrace/errors';
import { tableFromEnvironment } from '@millrace/event-store';
import {
  EmitFailedError,
  type EmittableEvent,
  EventBridgeEmitter,
  type EventEmitter,
  type UnsentEvent,
} from '@millrace/events';
import { messageOf, shownIdentifier } from '@millrace/privacy';
import { logger, MetricUnit, metrics } from '@millrace/telemetry';
import { type Decision, decide, isAccountable } from '../domain/decide.ts';
import { DeadLetterQueues } from './dead-letter-queues.ts';
import { Ledger } from './ledger.ts';

export interface ReEmitterDependencies {
  emitter: EventEmitter;
  ledger: Pick<Ledger, 'reemitted' | 'record'>;
  deadLetters: Pick<DeadLetterQueues, 'park' | 'delete'>;
  now?: () => Date;
}

/** Codes with which EventBridge says of an entry that it will never take it, whoever sends it and whenever. */
const permanentErrorCodes = new Set(['MalformedDetail', 'InvalidArgument', 'EventTooLarge', 'ValidationException']);

/** How one letter ended, with what is still to be done: a letter may only be deleted after this says so. */
interface Outcome extends Omit<ReemitResult, 'messageId'> {
  delete: boolean;
}

/**
 * Puts the events of dead letters back on the bus, each unchanged. The order of steps for each letter is: EventBridge has
 * accepted it, the ledger says so, it is deleted. To die between two of them repeats a step the next time, and what is
 * repeated is an event with the same id, which every consumer recognises.
 */
export class ReEmitter {
  readonly #emitter: EventEmitter;
  readonly #ledger: ReEmitterDependencies['ledger'];
  readonly #deadLetters: ReEmitterDependencies['deadLetters'];
  readonly #now: () => Date;

  constructor({ emitter, ledger, deadLetters, now = () => new Date() }: ReEmitterDependencies) {
    this.#emitter = emitter;
    this.#ledger = ledger;
    this.#deadLetters = deadLetters;
    this.#now = now;
  }

  /** @returns one result for each message, in the same order */
  async reemit({ queueName, messages }: ReemitRequest): Promise<ReemitResult[]> {
    const letters = messages.map(letterOf);
    const decisions = await this.#decide(letters, queueName);
    const outcomes = new Map<DeadLetter, Outcome>();

    const toEmit = new Map<EmittableEvent, DeadLetter>();
    for (const [letter, decision] of decisions) {
      if (decision.do === 'emit') toEmit.set(decision.event, letter);
      if (decision.do === 'keep') {
        outcomes.set(letter, { outcome: 'kept', code: decision.code, reason: decision.reason, delete: false });
      }
      if (decision.do === 'delete') outcomes.set(letter, { outcome: 'reemitted', delete: true });
      if (decision.do === 'park') outcomes.set(letter, await this.#park(letter, decision.reason, queueName));
    }
    const unsent = await unsentOf(this.#emitter, [...toEmit.keys()]);
    await Promise.all(
      [...toEmit].map(async ([event, letter]) => {
        const failure = unsent.get(event);
        outcomes.set(
          letter,
          failure ? await this.#unsent(letter, failure, queueName) : await this.#record(letter, queueName),
        );
      }),
    );

    const done = letters.filter((letter) => outcomes.get(letter)?.delete);
    const left = await this.#deadLetters.delete(queueName, done);
    return letters.map((letter) => {
      const { delete: _, ...outcome } = outcomes.get(letter) ?? { outcome: 'kept', delete: false };
      count(outcome.outcome);
      const result: ReemitResult = { messageId: letter.messageId, ...outcome };
      if (!left.has(letter)) return result;
      const next = outcome.outcome === 'parked' ? 'the next run parks it again' : 'the next run removes it';
      return {
        ...result,
        stillThere: true,
        reason: [outcome.reason, `it is still in the queue, too: ${next}`].filter(Boolean).join('; '),
      };
    });
  }

  /** One letter after the other, so that two letters of one event count both. */
  async #decide(deadLetters: readonly DeadLetter[], queueName: string): Promise<Map<DeadLetter, Decision>> {
    const eventIds = [...new Set(deadLetters.flatMap(({ event }) => event?.id ?? []))].filter(isAccountable);
    const reemitted = new Map(
      await Promise.all(eventIds.map(async (id) => [id, await this.#ledger.reemitted(queueName, id)] as const)),
    );
    const decisions = new Map<DeadLetter, Decision>();
    for (const letter of deadLetters) {
      const before = reemitted.get(letter.event?.id ?? '') ?? new Set();
      const decision = decide(letter, before, this.#now());
      decisions.set(letter, decision);
      if (decision.do === 'emit') before.add(letter.messageId);
    }
    return decisions;
  }

  async #record(letter: DeadLetter, queueName: string): Promise<Outcome> {
    const eventId = letter.event?.id ?? '';
    try {
      await this.#ledger.record(queueName, eventId, letter.messageId);
      logger.info('Dead event re-emitted', { ...identityOf(letter), queue: queueName });
      return { outcome: 'reemitted', delete: true };
    } catch (error) {
      logger.error('A re-emission could not be recorded', { ...identityOf(letter), error: error as Error });
      const reason = 're-emitted, but that could not be recorded: it will be re-emitted again';
      return { outcome: 'kept', code: 'NOT_RECORDED', reason, delete: false };
    }
  }

  async #unsent(letter: DeadLetter, { errorCode, errorMessage }: UnsentEvent, queueName: string): Promise<Outcome> {
    if (permanentErrorCodes.has(errorCode)) {
      // Not EventBridge's message: it quotes the value that it does not like.
      return this.#park(letter, { code: 'EVENT_REFUSED', message: `EventBridge refused it: ${errorCode}` }, queueName);
    }
    return { outcome: 'kept', code: errorCode, reason: errorMessage, delete: false };
  }

  async #park(letter: DeadLetter, reason: ParkingReason, queueName: string): Promise<Outcome> {
    const { code, message } = reason;
    try {
      await this.#deadLetters.park(letter, reason, queueName);
      logger.warn('Dead event parked', { ...identityOf(letter), queue: queueName, code });
      return { outcome: 'parked', code, reason: message, delete: true };
    } catch (error) {
      return { outcome: 'kept', code, reason: `${message}; could not be parked: ${messageOf(error)}`, delete: false };
    }
  }
}

/** What EventBridge did not accept, with its reasons. */
async function unsentOf(
  emitter: EventEmitter,
  events: readonly EmittableEvent[],
): Promise<Map<EmittableEvent, UnsentEvent>> {
  try {
    if (events.length > 0) await emitter.emit(events);
    return new Map();
  } catch (error) {
    if (!(error instanceof EmitFailedError)) throw error;
    return new Map(error.unsent.map((unsent) => [unsent.event, unsent]));
  }
}

function letterOf({ messageId, receiptHandle, body, attributes }: ReemitRequest['messages'][number]): DeadLetter {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  return readDeadLetter({ MessageId: messageId, ReceiptHandle: receiptHandle, Body: body, MessageAttributes });
}

function identityOf({ event, messageId }: DeadLetter) {
  return {
    message_id: shownIdentifier(messageId),
    ...(event && { event_id: shownIdentifier(event.id), event_type: shownIdentifier(event.detailType) }),
    ...(event?.correlationId !== undefined && { correlation_id: shownIdentifier(event.correlationId) }),
  };
}

function count(outcome: ReemitResult['outcome']): void {
  const names = { reemitted: 'EventReemitted', parked: 'EventParked', kept: 'EventNotReemitted' } as const;
  metrics.addMetric(names[outcome], MetricUnit.Count, 1);
}

/** @throws ConfigurationError naming the variable that is not set */
export function reEmitterFromEnvironment(): ReEmitter {
  const { client, name } = tableFromEnvironment();
  const busName = variableFrom('MILLRACE_EVENT_BUS', 'the name of the event bus');
  const parkingQueueUrl = variableFrom('MILLRACE_PARKING_QUEUE_URL', 'the URL of the parking queue');
  return new ReEmitter({
    emitter: new EventBridgeEmitter({ client: eventBridge(), busName }),
    ledger: new Ledger(client, name),
    deadLetters: new DeadLetterQueues(sqs(), parkingQueueUrl),
  });
}

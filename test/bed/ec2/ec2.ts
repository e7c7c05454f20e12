/**
 * EC2 for tests: an HTTP endpoint that any AWS SDK speaks to, as strict, slow and inconsistent as the real one where moto behind it
 * is kind (docs/operations/bed.md, EC2). Time is virtual: nothing gets attached, visible or refilled until the test moves the clock.
 */
import { rmSync } from 'node:fs';
import { type InstanceType, instanceType, instanceTypeNames } from '../../../lib/api/instance-types.ts';
import { aHolding, type Holding } from '../holding.ts';
import { newFolder, note, sweep } from '../records.ts';
import { type Account, withSubnet } from './account.ts';
import { type VirtualClock, virtualClock } from './clock.ts';
import { deciding } from './decide.ts';
import * as error from './error.ts';
import { type Counts, counting, type Fault, faults, type Order } from './fault.ts';
import { type Hook, hooks, type InstanceEni, instanceEni, type StateChange } from './hooks.ts';
import { failure, listen, type Received, type Reply, success } from './http.ts';
import { Refusal, startMoto } from './moto.ts';
import { callOf } from './query.ts';
import { BUCKETS, type Bucket } from './throttle.ts';
import { type Happened, settle } from './time.ts';
import { capacityKey, type Delays, emptyWorld, enisOn } from './world.ts';
import { itemsOf } from './xml.ts';

export interface Ec2Options {
  /** @default 'ap-northeast-1' */
  readonly region?: string;
  /** How long things take, in virtual milliseconds. @default - as long as DELAYS says */
  readonly delays?: Partial<Delays>;
  /** Token buckets by API, in place of EC2's; `off`: nothing is throttled. @default - EC2's own */
  readonly buckets?: Readonly<Record<string, Bucket>> | 'off';
  /** Types that are not as in the table, to see that a program asks. @default none */
  readonly instanceTypes?: readonly InstanceType[];
  /** AMIs that exist beside those that moto brings. @default none */
  readonly images?: readonly string[];
  /** Where it listens. @default '127.0.0.1' */
  readonly host?: string;
}

/** Of the order that EC2 takes. */
export const DELAYS: Delays = {
  visibleMs: 1_000,
  attachMs: 3_000,
  detachMs: 3_000,
  startMs: 20_000,
  shutdownMs: 30_000,
  forgetMs: 3_600_000,
};

export interface Ec2 {
  /** For `AWS_ENDPOINT_URL_EC2`, or a client's `endpoint`. */
  readonly endpoint: string;
  readonly region: string;
  readonly clock: VirtualClock;
  readonly counts: Counts;
  /** Has something happen to the next calls of an API, or of any (`*`). */
  fail(action: string, fault: Fault, order?: Order): void;
  /** Takes back all that was ordered and has not happened. */
  heal(): void;
  /** From now on so many instances of a type can be launched in a zone; undefined: without end, as at first. */
  setCapacity(type: string, zone: string, count: number | undefined): void;
  /** ENIs that an instance has now, the primary among them: `attached`, or not yet gone. */
  attached(instanceId: string): InstanceEni[];
  /** Tells of each ENI that gets attached to a running instance; the clock goes on when the hook has resolved. @returns how to stop it */
  onAttach(hook: Hook<InstanceEni>): () => void;
  /** Tells of each that is gone: detached, or ended with its instance. */
  onDetach(hook: Hook<InstanceEni>): () => void;
  onState(hook: Hook<StateChange>): () => void;
  /** Listens on a Unix socket as well. */
  alsoOn(path: string): Promise<void>;
  /** What moto has said. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts it and resolves when it serves. It ends with `stop()`, or with the process that started it. */
export async function startEc2(options: Ec2Options = {}): Promise<Ec2> {
  sweep();
  const folder = newFolder();
  const holding = aHolding(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  try {
    return await startIn(folder, holding, options);
  } catch (cause) {
    await holding.end();
    throw cause;
  }
}

async function startIn(folder: string, holding: Holding, options: Ec2Options): Promise<Ec2> {
  const { region = 'ap-northeast-1', instanceTypes = [], images = [], host = '127.0.0.1' } = options;
  const moto = await startMoto(folder, region, holding);
  note(folder, [moto.process.pid]);
  const typeOf = (name: string) => instanceTypes.find((each) => each.name === name) ?? instanceType(name);
  const names = [...new Set([...instanceTypeNames(), ...instanceTypes.map(({ name }) => name)])];
  const delays = { ...DELAYS, ...options.delays };
  const account: Account = {
    ...{ world: emptyWorld, templates: {}, moto, delays, typeOf, images },
    types: names.flatMap((name) => typeOf(name) ?? []),
    now: () => clock.now(),
  };
  for (const item of itemsOf(await moto.ask({ action: 'DescribeSubnets', params: {} }), 'subnetSet'))
    account.world = withSubnet(account.world, item);

  const alone = oneAtATime();
  const { tell, ...hooked } = hooks();
  const clock = virtualClock(async () => {
    const happened = await alone(() => pass(account));
    // Not within: a hook may well ask EC2 something.
    for (const each of happened) await tell(each);
  });

  const ordered = faults();
  const counts = counting();
  const decide = deciding(account, options.buckets === 'off' ? undefined : { ...BUCKETS, ...options.buckets });
  const reply = async ({ body, authorization }: Received): Promise<Reply> => {
    const call = callOf(body);
    if (call === undefined) return failure(error.missing('Action'));
    if (!authorization?.includes(`/${region}/ec2/aws4_request`)) return failure(error.unauthenticated());
    const fault = ordered.strike(call);
    const arrived = clock.now();
    try {
      if (fault?.do === 'error') throw refusalBy(fault);
      const content = await alone(() => decide(call));
      counts.note(call.action, undefined);
      if (fault?.do === 'delay') await clock.reached(arrived + fault.ms);
      return fault?.do === 'lose reply' ? 'cut' : success(call.action, content);
    } catch (cause) {
      // A fault of the stand-in's own must not look like one of EC2's that a program may wait out.
      if (!(cause instanceof Refusal)) return failure({ code: 'BedFailure', message: `${(cause as Error).stack}`, status: 400 });
      counts.note(call.action, cause.error.code);
      return fault?.do === 'lose reply' ? 'cut' : failure(cause.error);
    }
  };
  const { endpoint, alsoOn, close } = await listen(host, reply);
  holding.add(async () => {
    clock.pause();
    await close();
  });

  return {
    ...{ region, clock, counts, endpoint, alsoOn, ...hooked },
    fail: ordered.add,
    heal: ordered.clear,
    setCapacity: (type, zone, count) => {
      const { [capacityKey(type, zone)]: _before, ...rest } = account.world.capacity;
      account.world = { ...account.world, capacity: count === undefined ? rest : { ...rest, [capacityKey(type, zone)]: count } };
    },
    attached: (instanceId) =>
      enisOn(account.world, instanceId).flatMap((eni) =>
        eni.attachment === undefined || eni.attachment.status === 'attaching' ? [] : instanceEni(eni, eni.attachment),
      ),
    log: moto.process.log,
    stop: holding.end,
  };
}

/** Lets the world go on to the clock's time; what ended in it is gone from moto too. */
async function pass(account: Account): Promise<readonly Happened[]> {
  const { world, happened } = settle(account.world, account.now(), account.delays);
  account.world = world;
  for (const each of happened)
    if (each.what === 'detached' && each.deleted)
      await account.moto.ask({ action: 'DeleteNetworkInterface', params: { NetworkInterfaceId: each.eni.id } });
  return happened;
}

/** Errors of the server, for which an SDK tries again; all others are the client's. */
const OF_THE_SERVER = ['InternalError', 'InternalFailure', 'RequestLimitExceeded', 'ServiceUnavailable', 'Unavailable'];

function refusalBy({ code, message, status }: Extract<Fault, { do: 'error' }>): Refusal {
  return new Refusal({ code, message: message ?? 'ordered by the test', status: status ?? (OF_THE_SERVER.includes(code) ? 503 : 400) });
}

/** Runs one thing after the other: between a verdict and what it allows nothing else happens. */
function oneAtATime(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act, act);
    last = next.catch(() => {});
    return next;
  };
}

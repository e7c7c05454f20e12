/** The stock and lock API of a replica, put together: it begins to listen when it has its first certificate. */
import { hostname, networkInterfaces } from 'node:os';
import type { Api } from '../../kube/client.ts';
import { aborted } from '../../kube/clock.ts';
import { type Log, silent } from '../../kube/log.ts';
import type { World } from '../world.ts';
import { type HttpApiOptions, httpApi } from './api.ts';
import type { Pair } from './authority.ts';
import { callers } from './caller.ts';
import { keepCertificate } from './certificate.ts';
import { explainHandler } from './explain.ts';
import { lockHandlers } from './locks.ts';
import { openHandlers } from './open.ts';
import { type HttpsServer, serveHttps } from './server.ts';
import { namesOf } from './serving.ts';
import { waitingFor } from './settling.ts';
import { type StockOptions, stockHandler, unfitLock } from './stock.ts';

export interface StockApiOptions extends Pick<StockOptions, 'templateOf' | 'tick' | 'ages'>, Pick<HttpApiOptions, 'onAnswer'> {
  readonly api: Api;
  readonly world: Pick<World, 'inventory' | 'locks'>;
  readonly namespace: string;
  readonly bindAddress: string;
  readonly port: number;
  /** A Secret to serve with. @default an authority of our own */
  readonly servingSecret?: string;
  /** Of Gala; OpenAPI says it. */
  readonly version: string;
  readonly onCertificate?: (certificate: Pair) => void;
  readonly signal: AbortSignal;
  readonly log?: Log;
}

export interface RunningStockApi {
  /** Undefined: it answers; else why not. */
  wrong(): string | undefined;
  /** 0 before it listens. */
  readonly port: number;
  /** Rejects when it can't listen; resolves when the signal has ended it. */
  readonly done: Promise<void>;
}

export function runStockApi(options: StockApiOptions): RunningStockApi {
  const { api, world, namespace, ages, signal, log = silent, onCertificate = () => {} } = options;
  const terrain = world.inventory;
  const handle = httpApi({
    ...{ ages, log, onAnswer: options.onAnswer, callers: callers(api) },
    handlers: {
      stock: stockHandler({ terrain, ages, templateOf: options.templateOf, tick: options.tick }),
      explain: explainHandler({ inventory: world.inventory, ages, tick: options.tick }),
      ...lockHandlers({ api, waiting: waitingFor(world.locks), unfit: unfitLock({ terrain, ages }) }),
      ...openHandlers(options.version),
    },
  });
  const first = Promise.withResolvers<Pair>();
  let server: HttpsServer | undefined;
  let newest: Pair | undefined;
  const certificate = keepCertificate(api, {
    ...{ namespace, secret: options.servingSecret, signal, log },
    names: () => namesOf(networkInterfaces(), hostname(), namespace),
    onCertificate: (pair) => {
      newest = pair;
      first.resolve(pair);
      server?.setCertificate(pair);
      onCertificate(pair);
    },
  });

  const ended = aborted(signal).then(() => undefined);

  async function run(): Promise<void> {
    const pair = await Promise.race([first.promise, ended]);
    if (pair !== undefined) {
      server = await serveHttps({ host: options.bindAddress, port: options.port, certificate: pair, handle, log });
      if (newest !== undefined && newest !== pair) server.setCertificate(newest);
      log.info('the stock API answers', { address: options.bindAddress, port: server.port });
      await ended;
      await server.close();
    }
    await certificate.stopped;
  }

  return {
    done: run(),
    wrong: () => certificate.wrong() ?? (server === undefined ? 'not listening yet' : undefined),
    get port() {
      return server?.port ?? 0;
    },
  };
}

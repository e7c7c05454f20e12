/** moto's server, which keeps what EC2 keeps: its process, and calls to it. */
import { join } from 'node:path';
import type { Holding } from '../holding.ts';
import { loopback } from '../network.ts';
import { command } from '../parts.ts';
import { type Started, start, until } from '../process.ts';
import type { Ec2Error } from './error.ts';
import { bodyOf, type Call } from './query.ts';
import { type Element, itemsOf, parseXml, textOf } from './xml.ts';

/** What a call is refused with: by the stand-in as EC2 would, or by moto. */
export class Refusal extends Error {
  readonly error: Ec2Error;
  constructor(error: Ec2Error) {
    super(`${error.code}: ${error.message}`);
    this.error = error;
  }
}

export interface Moto {
  readonly process: Started;
  /** @throws {Refusal} where moto refuses */
  ask(call: Call): Promise<Element>;
}

/** Two idle cores take 2 s, in which Python reads its modules; a machine that is busy otherwise, many times that. */
const READY_SECONDS = 100;

export async function startMoto(folder: string, region: string, holding: Holding): Promise<Moto> {
  const port = await loopback.port(0);
  const [program, ...first] = command('moto');
  const process = start('moto', [program, ...first, '-H', loopback.host, '-p', String(port)], join(folder, 'moto.log'));
  holding.add(process.kill);
  const url = `http://${loopback.host}:${port}/`;
  await until('ready', process, READY_SECONDS, async () => (await fetch(`${url}moto-api/`)).ok);

  // moto tells service and region by the scope of the credentials, and checks no signature.
  const authorization = `AWS4-HMAC-SHA256 Credential=bed/20260101/${region}/ec2/aws4_request, SignedHeaders=host, Signature=none`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const ask: Moto['ask'] = async (call) => {
    const answer = await fetch(url, { method: 'POST', headers, body: bodyOf(call) });
    const text = await answer.text();
    if (answer.ok) return parseXml(text);
    throw refusalIn(call, answer.status, text);
  };
  return { process, ask };
}

function refusalIn({ action }: Call, status: number, text: string): Error {
  try {
    const [error] = itemsOf(parseXml(text), 'Errors');
    if (error) return new Refusal({ code: textOf(error, 'Code'), message: textOf(error, 'Message'), status });
  } catch {
    // Told below: moto answers what it did not expect with a page.
  }
  return new Error(`moto answered ${action} with HTTP ${status}: ${text.slice(0, 500)}`);
}

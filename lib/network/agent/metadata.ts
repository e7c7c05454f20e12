/**
 * The instance metadata service, as far as `gala cni` asks it: the network of the subnet that an ENI lies in, which a definition may leave
 * out. By session tokens (IMDSv2), the only way there is where HttpTokens is `required`: ec2/latest/userguide,
 * "Use the Instance Metadata Service to access instance metadata", and "Instance metadata categories" for the path.
 */
import { type Log, reasonOf } from '../../kube/log.ts';

export const METADATA_ENDPOINT = 'http://169.254.169.254';

/** It answers in milliseconds, or is not there. */
const ANSWER_MS = 2_000;
/** A token lives as long; one is asked for with each question, for there are few. */
const TOKEN_SECONDS = 60;

export interface Slot {
  readonly mac: string;
  readonly subnetId: string;
}

export interface Subnets {
  /** Networks by subnet id, `10.16.4.0/24`. */
  known(): Readonly<Record<string, string>>;
  /** Asks for what is not known yet; what gets no answer is asked for the next time. */
  learn(slots: readonly Slot[], said: Readonly<Record<string, string>>): Promise<void>;
}

/** @param said what the definition says: nobody needs to be asked for that */
export function subnetsBy(subnetOf: (mac: string) => Promise<string | undefined>, log: Log): Subnets {
  const known = new Map<string, string>();
  return {
    known: () => Object.fromEntries(known),
    async learn(slots, said) {
      for (const { mac, subnetId } of slots) {
        if (known.has(subnetId) || said[subnetId] !== undefined) continue;
        try {
          const cidr = await subnetOf(mac);
          if (cidr === undefined) continue;
          known.set(subnetId, cidr);
          log.info('the network of a subnet is known', { subnetId, cidr });
        } catch (error) {
          log.warn('the instance metadata service does not say the network of a subnet', { subnetId, mac, because: reasonOf(error) });
          return;
        }
      }
    },
  };
}

/** @returns undefined: it does not know the interface yet; it does moments after it is attached */
export async function subnetOfMac(endpoint: string, mac: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': `${TOKEN_SECONDS}` };
  const token = await fetch(`${endpoint}/latest/api/token`, { method: 'PUT', headers: ttl, signal });
  if (!token.ok) throw new Error(`PUT ${endpoint}/latest/api/token: HTTP ${token.status}`);
  const url = `${endpoint}/latest/meta-data/network/interfaces/macs/${mac}/subnet-ipv4-cidr-block`;
  const answer = await fetch(url, { headers: { 'x-aws-ec2-metadata-token': await token.text() }, signal });
  if (answer.status === 404) return undefined;
  const text = (await answer.text()).trim();
  if (!answer.ok || !/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(text))
    throw new Error(`GET ${url}: HTTP ${answer.status}: ${text.slice(0, 80)}`);
  return text;
}

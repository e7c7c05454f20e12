/**
 * The link `gala-api` of a node without kube-proxy: addresses that pods reach by way of their node, whichever node that is. What is
 * there and what should be, as lines of `ip -batch`. Pure; the agent asks it at its start and in each round.
 */
import type { Seen } from '../wiring/check.ts';
import type { Line } from '../wiring/step.ts';

/** A dummy: nothing comes in by it, it holds addresses. */
export const NODE_LINK = 'gala-api';

/**
 * @param wanted IPv4 addresses; none: the link goes
 * @param links of the host, as `ip -j addr` prints them
 * @returns what is to be done; nothing when all is as it should be
 */
export function linkLines(wanted: readonly string[], links: Seen['links']): Line[] {
  const line = (text: string): Line => ({ where: 'host', tool: 'ip', line: text });
  const there = links.find(({ ifname }) => ifname === NODE_LINK);
  if (wanted.length === 0) return there === undefined ? [] : [line(`link del ${NODE_LINK}`)];
  const has = (there?.addr_info ?? []).flatMap(({ local = '', prefixlen }) => (local.includes(':') ? [] : [`${local}/${prefixlen}`]));
  const want = [...new Set(wanted)].map((ip) => `${ip}/32`);
  return [
    ...(there === undefined ? [line(`link add ${NODE_LINK} type dummy`)] : []),
    ...(there?.flags.includes('UP') ? [] : [line(`link set ${NODE_LINK} up`)]),
    // The new ones first: with one of the others the last might go.
    ...want.filter((each) => !has.includes(each)).map((each) => line(`addr add ${each} dev ${NODE_LINK}`)),
    ...has.filter((each) => !want.includes(each)).map((each) => line(`addr del ${each} dev ${NODE_LINK}`)),
  ];
}

/** What hosts can carry: reservations, volumes, MAC addresses, the order pools are asked in, names once composed. */
import { didYouMean } from '../issue.ts';
import { toNumber } from '../quantity.ts';
import { addressRange, size } from '../range.ts';
import type { Draft, DraftRacked, HostsOf, Report } from './draft.ts';
import { poolsOf, rackedPools } from './draft.ts';

/** Room for `gala-<pool>-<volume>` as the value of a label. */
const LONGEST_COMPOSED = 63;

export function checkMachines(draft: Draft, report: Report): void {
  for (const { path, pool } of poolsOf(draft))
    for (const amount of ['cpu', 'memory'] as const) {
      const [has, kept] = [pool.machine?.[amount], pool.machine?.reserved?.[amount]];
      if (has === undefined || kept === undefined || toNumber(kept) < toNumber(has)) continue;
      report({
        path: `${path}.machine.reserved.${amount}`,
        what: `reserved ${amount} is ${kept}`,
        got: kept,
        allowed: `less than the machine's ${has}`,
        remedy: 'Reserve what the system uses; the rest is for pods.',
      });
    }
}

export function checkVolumes(draft: Draft, report: Report): void {
  for (const { name, path, pool } of poolsOf(draft)) {
    const volumes = Object.entries(pool.volumes ?? {});
    volumes.forEach(([volume, { path: mount, size: total, maxQuota } = {}], i) => {
      const where = `${path}.volumes.${volume}`;
      if (total !== undefined && maxQuota !== undefined && toNumber(maxQuota) > toNumber(total))
        report({
          path: `${where}.maxQuota`,
          what: `maxQuota is ${maxQuota}`,
          got: maxQuota,
          allowed: `a quota is at most the volume's size, ${total}`,
          remedy: `Ask for ${total} or less.`,
        });
      const composed = `gala-${name}-${volume}`;
      if (composed.length > LONGEST_COMPOSED)
        report({
          path: where,
          what: `its StorageClass would be ${composed}, ${composed.length} characters`,
          got: volume,
          allowed: `at most ${LONGEST_COMPOSED}`,
          remedy: 'Shorten the name of the volume or of the pool.',
        });
      const system = mount === undefined ? undefined : SYSTEM_PATHS.find((path) => nested(mount, path));
      if (system !== undefined)
        report({
          path: `${where}.path`,
          what: `path is ${mount}, and ${system} is the system's`,
          got: mount,
          allowed: 'a volume is a filesystem that holds nothing else',
          remedy: 'Mount a disk of its own, at /data1 for example.',
        });
      for (const [other, { path: otherMount } = {}] of volumes.slice(0, i))
        if (mount !== undefined && otherMount !== undefined && nested(mount, otherMount))
          report({
            path: `${where}.path`,
            what: `path is ${mount}, and volume ${other} is at ${otherMount}`,
            got: mount,
            allowed: 'each volume is a filesystem of its own',
            remedy: 'Give the mount point of another filesystem.',
          });
    });
  }
}

/** The quota agent deletes what nobody claims on a volume. */
const SYSTEM_PATHS = [
  'bin',
  'boot',
  'dev',
  'etc',
  'home',
  'lib',
  'lib64',
  'opt',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var/lib',
  'var/log',
  'var/run',
].map((path) => `/${path}`);

const nested = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);

/** Windows that open and close, in time zones that there are. */
export function checkLending(draft: Draft, report: Report): void {
  for (const { path, pool } of poolsOf(draft))
    pool.lends?.windows?.forEach((window, i) => {
      const [, from, to, zone] = /^(\S+)-(\S+) (\S+)$/.exec(window ?? '') ?? [];
      if (zone === undefined) return;
      const wrong = (what: string, allowed: string, remedy: string) =>
        report({ path: `${path}.lends.windows[${i}]`, what, got: window, allowed, remedy });
      if (from === to) wrong(`window ${window} opens and closes at ${from}`, 'a window has a length', 'Leave windows out to lend always.');
      if (!isTimeZone(zone)) wrong(`time zone is ${zone}`, 'a name of the IANA time zone database', 'Write Asia/Shanghai, for example.');
    });
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** MacVlan shows one MAC a pod. */
export function checkMacs(draft: Draft, hostsOf: HostsOf, defaultMacs: number, report: Report): void {
  for (const { path, pool } of rackedPools(draft)) {
    const addresses = Object.values(pool.vlans ?? {}).reduce(
      (sum, vlan) => sum + Math.max(0, vlan?.addresses === undefined ? 0 : size(addressRange(vlan.addresses))),
      0,
    );
    const hosts = Object.values(pool.racks ?? {}).reduce((sum, nodeset) => sum + (nodeset === undefined ? 0 : hostsOf(nodeset).length), 0);
    const macs = (pool as DraftRacked).macsPerPort ?? defaultMacs;
    const usable = hosts * macs;
    if (hosts > 0 && addresses > usable)
      report({
        path: `${path}.macsPerPort`,
        what: `${addresses} addresses, but ${hosts} hosts with ${macs} MACs a port wire ${usable} pods`,
        got: macs,
        allowed: 'hosts × macsPerPort is what can be used',
        remedy: 'Raise the port-security maximum, add hosts, or leave the rest of the addresses to others.',
        severity: 'warning',
      });
  }
}

export function checkCapacityOrder(draft: Draft, report: Report): void {
  const known = Object.keys(draft.pools ?? {});
  draft.capacityOrder?.forEach((pool, i) => {
    if (pool !== undefined && !known.includes(pool))
      report({
        path: `capacityOrder[${i}]`,
        what: `pool is ${pool}`,
        got: pool,
        allowed: `the pools are ${known.join(', ') || 'none'}`,
        remedy: didYouMean(pool, known, 'Name a pool of this cluster.'),
      });
  });
  const left = draft.capacityOrder === undefined ? [] : known.filter((pool) => !draft.capacityOrder!.includes(pool));
  if (left.length > 0)
    report({
      path: 'capacityOrder',
      what: `capacityOrder leaves out ${left.join(', ')}`,
      got: draft.capacityOrder,
      allowed: 'a pool left out is never asked for capacity',
      remedy: 'Add it at the end, if that is not meant.',
      severity: 'warning',
    });
}

/** Twelve mistakes of twelve kinds in one definition, and how to tell that a message covers one. */
import { basename } from 'node:path';

export interface Mistake {
  /** Where it is, as one would type it. */
  readonly path: string;
  /** The wrong value, as the message must show it. */
  readonly got: string;
  /** Words of what is allowed. */
  readonly allowed: string;
}

/** A problem as the command prints it. */
export interface Line {
  readonly path: string;
  /** Everything after the path: `<what>; <allowed>. <remedy>` */
  readonly says: string;
}

export const MISTAKES: readonly Mistake[] = [
  { path: 'name', got: 'Hall_A', allowed: 'lower-case letters' },
  { path: 'kubernetes', got: '1.12', allowed: '1.35, 1.36, 1.37' },
  { path: 'aipServer', got: 'aipServer', allowed: 'apiServer' },
  { path: 'apiServer', got: 'http://10.8.0.10', allowed: 'https://' },
  { path: 'pools.web.racks.r13', got: 'hall-r12-08', allowed: 'one rack' },
  { path: 'pools.web.vlans.5000', got: '5000', allowed: '1 to 4094' },
  { path: 'pools.web.vlans.110.gateway', got: '10.110.0.0', allowed: '10.110.0.1-10.110.0.254' },
  { path: 'pools.web.vlans.120.addresses', got: '10.120.0.9-10.120.0.5', allowed: 'at or below' },
  { path: 'pools.web.vlans.130.racks[0]', got: 'r99', allowed: 'r12, r13' },
  { path: 'pools.web.machine.reserved.cpu', got: '8', allowed: "less than the machine's 4" },
  { path: 'pools.burst.warmEnis', got: '4', allowed: 'attaches 3' },
  { path: 'capacityOrder[2]', got: 'ml', allowed: 'web, burst' },
];

/**
 * The text of the definition.
 * @param gala what it imports its builders from
 */
export const mistaken = (gala: string): string => `import { defineCluster, ec2, intranet } from '${gala}';

export default defineCluster({
  name: 'Hall_A',
  kubernetes: '1.12',
  aipServer: 'https://10.8.0.10:6443',
  apiServer: 'http://10.8.0.10',
  services: 'kube-proxy',
  pools: {
    web: intranet({
      racks: { r12: 'hall-r12-[01-08]', r13: 'hall-r13-[01-08],hall-r12-08' },
      trunk: 'bond0',
      vlans: {
        5000: { subnet: '10.150.0.0/24', gateway: '10.150.0.1', addresses: '10.150.0.64-10.150.0.127' },
        110: { subnet: '10.110.0.0/24', gateway: '10.110.0.0', addresses: '10.110.0.64-10.110.0.127' },
        120: { subnet: '10.120.0.0/24', gateway: '10.120.0.1', addresses: '10.120.0.9-10.120.0.5' },
        130: { subnet: '10.130.0.0/24', gateway: '10.130.0.1', addresses: '10.130.0.64-10.130.0.127', racks: ['r99'] },
      },
      machine: { cpu: 4, memory: '8Gi', reserved: { cpu: 8, memory: '1Gi' } },
    }),
    burst: ec2({
      region: 'ap-northeast-1',
      instanceTypes: ['c5.large'],
      zones: { 'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' } },
      securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] },
      imageId: 'ami-0a',
      instanceProfile: 'gala-node',
      join: { eks: 'hall-a' },
      size: { min: 0, max: 3 },
      warmEnis: 4,
    }),
  },
  capacityOrder: ['web', 'burst', 'ml'],
});
`;

/** The lines of an output that are problems of a file: `<path to the file>: <path into the definition>: …` */
export function linesAbout(file: string, output: string): Line[] {
  return output.split('\n').flatMap((line) => {
    const [where = '', path, ...says] = line.split(': ');
    return basename(where) === file && path !== undefined && says.length > 0 ? [{ path, says: says.join(': ') }] : [];
  });
}

/** Whether a line is about the mistake and says the value, what is allowed, and after that sentence a remedy. */
export function complete({ path, says }: Line, mistake: Mistake): boolean {
  return path === mistake.path && says.includes(mistake.got) && says.includes(mistake.allowed) && /[.?] \S.+[.?]$/.test(says);
}

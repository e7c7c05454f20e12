/** What `gala fence` says. Pure. */
import { OUT_OF_SERVICE } from '../api/network.ts';
import { counted } from './amount.ts';
import { table, terminalWidth } from './table.ts';

/** What `-o json` prints. */
export interface Fenced {
  readonly node: string;
  readonly is: 'Ready' | 'NotReady' | 'Gone';
  /** `nothing`: it was said already. */
  readonly did: 'tainted' | 'noted' | 'nothing';
  readonly dryRun: boolean;
  /** Those that pods have there, or are about to have. */
  readonly addresses: readonly {
    readonly address: string;
    readonly phase: string;
    /** `<namespace>/<name>` */
    readonly owner: string;
    readonly podUID: string;
  }[];
}

export function fencedText(fenced: Fenced): string {
  const { node, is, addresses } = fenced;
  const rows = addresses.map(({ address, phase, owner, podUID }) => [address, phase, owner, podUID]);
  return [
    headOf(fenced),
    ...(rows.length === 0 ? [] : [table([['ADDRESS', 'STATE', 'OWNER', 'POD'], ...rows], { width: terminalWidth() })]),
    `${counted(addresses.length, 'address', 'addresses')} there: each is given back as soon as its pod's object is gone, which Kubernetes sees to within a minute or so.`,
    ...(is === 'Gone'
      ? []
      : [`When the machine is to be used again, before it is switched on: kubectl taint node ${node} ${OUT_OF_SERVICE}-`]),
  ].join('\n');
}

function headOf({ node, is, did, dryRun }: Fenced): string {
  const there = is === 'Gone' ? 'its Node is gone' : is === 'Ready' ? 'it is Ready, and counts as off once it is not' : 'it is not Ready';
  if (did === 'nothing') return `${node}: ${there}. That its machine is off was said before.`;
  const what =
    did === 'tainted'
      ? `Node ${node} ${dryRun ? 'would be' : 'is'} tainted ${OUT_OF_SERVICE}`
      : `its addresses ${dryRun ? 'would say' : 'say'} so`;
  return `${node}: ${there}. ${what[0]?.toUpperCase()}${what.slice(1)}${dryRun ? '; nothing is stored' : ''}.`;
}

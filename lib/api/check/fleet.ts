/**
 * The fleet: a name, a host, a network and an address belong to one cluster of a repository.
 * Looks at whatever can be read of each definition, also of those with errors, so that one run tells all. What is wrong
 * within one definition its own checks have said.
 */
import { type ApiServer, apiServerOf } from './api-server.ts';
import type { Draft, Report } from './draft.ts';
import { checkForbidden } from './forbidden.ts';
import { racksOf, sharedHosts, standing } from './hosts.ts';
import { checkOverlaps } from './overlaps.ts';
import { vlansOf } from './placed.ts';
import { checkSharedPodSubnets } from './pod-subnets.ts';
import { checkSharedVlans } from './shared-vlans.ts';

export interface FleetMember {
  /** Where the definition stands: `clusters/bj-a.ts`. */
  readonly file: string;
  readonly draft: Draft;
}

/** @param reportIn takes problems of the file it is asked for */
export function checkFleet(fleet: readonly FleetMember[], reportIn: (file: string) => Report): void {
  checkNames(fleet, reportIn);
  checkHosts(fleet, reportIn);
  const claims = fleet.flatMap(({ file, draft }) =>
    vlansOf(draft).map((placed) => ({
      placed,
      owner: file,
      where: `${file}: ${placed.path}`,
      site: placed.datacenter,
      report: reportIn(file),
    })),
  );
  const apiServers = fleet.flatMap((member) => {
    const apiServer = apiServerOf(member.draft);
    return apiServer === undefined ? [] : [{ ...apiServer, member, owner: member.file, where: member.file, report: reportIn(member.file) }];
  });
  checkOverlaps(claims);
  checkSharedVlans(claims);
  checkSharedPodSubnets(fleet, reportIn);
  checkForbidden(claims, apiServers);
  checkApiServers(apiServers);
}

function checkNames(fleet: readonly FleetMember[], reportIn: (file: string) => Report): void {
  const names = new Map<string, string>();
  for (const { file, draft } of fleet) {
    if (draft.name === undefined) continue;
    const twin = names.get(draft.name);
    if (twin === undefined) names.set(draft.name, file);
    else
      reportIn(file)({
        path: 'name',
        what: `name is ${draft.name}, as in ${twin}`,
        got: draft.name,
        allowed: 'a cluster’s name is its own',
        remedy: 'Rename one of them.',
      });
  }
}

function checkHosts(fleet: readonly FleetMember[], reportIn: (file: string) => Report): void {
  const racks = fleet.flatMap(({ file, draft }) => racksOf(draft).map((rack) => ({ ...rack, file })));
  for (const { rack, other, hosts } of sharedHosts(racks))
    if (rack.file !== other.file)
      reportIn(rack.file)({
        path: rack.path,
        what: `${standing(hosts)} in ${other.file}: ${other.path} too`,
        got: hosts[0],
        allowed: 'a host belongs to one cluster',
        remedy: 'Take it out of one of them.',
      });
}

/**
 * Two definitions with pools for one API server are a slip of the keys or two owners of one cluster. A slice has no
 * pools and may stand beside the definition that has them, or beside other slices.
 */
function checkApiServers(apiServers: readonly (ApiServer & { readonly member: FleetMember; readonly report: Report })[]): void {
  const seen = new Map<string, FleetMember>();
  for (const { endpoint, local, member, report } of apiServers) {
    if (local || Object.keys(member.draft.pools ?? {}).length === 0) continue;
    const twin = seen.get(endpoint);
    if (twin === undefined) seen.set(endpoint, member);
    // Of two clusters of one name it is known already that they are one too many.
    else if (twin.draft.name === undefined || twin.draft.name !== member.draft.name)
      report({
        path: 'apiServer',
        what: `API server is ${endpoint}, as in ${twin.file}`,
        got: member.draft.apiServer,
        allowed: 'a cluster with pools has an API server of its own',
        remedy: 'Correct one of them, or make one a slice with pools: {}.',
        severity: 'warning',
      });
  }
}

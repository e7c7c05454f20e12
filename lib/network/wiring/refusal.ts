/** Refusals: why a pod is not wired, as a CNI error. An ordinary no; what it says stands in `kubectl describe pod`. Pure. */

/** "Error" of the CNI specification: 0-99 are its own, from 100 on each plugin has its own. docs/wiring.md lists them. */
export const CODES = {
  /** CNI's own: the error message must contain the names of invalid variables. */
  BadEnvironment: 4,
  /** CNI's own: the runtime comes again. */
  TryLater: 11,
  NoLock: 100,
  NotYours: 101,
  ForeignNode: 102,
  Quarantined: 103,
  OutsideVlans: 104,
  NotTrunked: 105,
  NoEni: 106,
  NoSubnet: 107,
  NoLink: 108,
  Unplugged: 109,
  BadBandwidth: 110,
  InterfaceTaken: 111,
  StillWired: 112,
  Conflict: 113,
  NotWired: 114,
  NotAsWired: 115,
  Failed: 116,
} as const;

export interface Refusal {
  readonly refused: keyof typeof CODES;
  readonly code: number;
  readonly msg: string;
  /** Where, what, the value got, what is allowed, and what to do. */
  readonly details: string;
}

export const MESSAGES: Readonly<Record<Refusal['refused'], string>> = {
  BadEnvironment: 'Invalid necessary environment variables',
  TryLater: 'Try again later',
  NoLock: 'No address is locked for the pod',
  NotYours: 'The address is locked for another pod',
  ForeignNode: 'The address is locked on another node',
  Quarantined: 'Somebody else answers for the address',
  OutsideVlans: 'The address lies in no VLAN of the pool',
  NotTrunked: "The VLAN is not trunked to the node's rack",
  NoEni: 'No ENI of the node has the address',
  NoSubnet: "The network of the ENI's subnet is not known yet",
  NoLink: 'A link of the host is missing',
  Unplugged: 'A link of the host has no carrier',
  BadBandwidth: 'A bandwidth annotation has no bandwidth',
  InterfaceTaken: 'The pod has an interface of that name',
  StillWired: 'The address is on a link of another sandbox',
  Conflict: 'Another machine answers for the address',
  NotWired: 'Nothing is wired for the sandbox',
  NotAsWired: 'The wiring is not as it was left',
  Failed: 'The kernel refused a step',
};

export const refuse = (refused: Refusal['refused'], details: string): Refusal => ({
  ...{ refused, code: CODES[refused], msg: MESSAGES[refused], details },
});

export const isRefusal = (value: object): value is Refusal => 'refused' in value;

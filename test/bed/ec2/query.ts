/** A call in EC2's Query protocol: an action and flat parameters, in which lists and structures are numbered. Pure. */
export interface Call {
  readonly action: string;
  /** `NetworkInterface.1.SubnetId` and the like; without Action and Version. */
  readonly params: Params;
}

export type Params = Readonly<Record<string, string>>;

/** The call that a request's body is, or undefined where it names no action. */
export function callOf(body: string): Call | undefined {
  const { Action, Version: _version, ...params } = Object.fromEntries(new URLSearchParams(body));
  return Action === undefined ? undefined : { action: Action, params };
}

export const bodyOf = ({ action, params }: Call): string =>
  new URLSearchParams({ Action: action, Version: '2016-11-15', ...params }).toString();

/** @example listed({ 'InstanceId.1': 'i-1', 'InstanceId.2': 'i-2' }, 'InstanceId') // ['i-1', 'i-2'] */
export const listed = (params: Params, name: string): string[] => grouped(params, name).flatMap((group) => group[''] ?? []);

/** @example grouped({ 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' }, 'Tag') // [{ Key: 'a', Value: 'b' }] */
export function grouped(params: Params, name: string): Params[] {
  const groups = new Map<number, Record<string, string>>();
  for (const [key, value] of Object.entries(params)) {
    if (!key.startsWith(`${name}.`)) continue;
    const [number = '', ...rest] = key.slice(name.length + 1).split('.');
    if (!/^\d+$/.test(number)) continue;
    const group = groups.get(Number(number)) ?? {};
    group[rest.join('.')] = value;
    groups.set(Number(number), group);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** What stands before the first dot: `NetworkInterface` of `NetworkInterface.1.SubnetId`. */
export const topOf = (name: string): string => name.split('.')[0] ?? name;

export const without = (params: Params, ...tops: string[]): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !tops.includes(topOf(name))));

export const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What a TagSpecification says for one type of resource. */
export const tagsFor = (params: Params, type: string): Tag[] =>
  grouped(params, 'TagSpecification')
    .filter(({ ResourceType }) => ResourceType === type)
    .flatMap((specification) => grouped(specification, 'Tag'))
    .map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }));

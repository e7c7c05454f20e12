/** What the actions share: the account that they read and write, and short ways to ask moto and the core. */
import type { InstanceType } from '../../../lib/api/instance-types.ts';
import * as error from './error.ts';
import { filterOf, type Paths } from './filter.ts';
import type { Refused } from './interface.ts';
import { type Moto, Refusal } from './moto.ts';
import { type Bounds, type Numbered, pageOf } from './page.ts';
import type { Call, Params } from './query.ts';
import type { Templates } from './template.ts';
import type { Delays, TypeOf, World } from './world.ts';
import { type Element, element, itemsOf, textOf } from './xml.ts';

/** What the actions read and write; one call at a time does. */
export interface Account {
  world: World;
  templates: Templates;
  readonly moto: Moto;
  readonly delays: Delays;
  readonly typeOf: TypeOf;
  /** All types, for those who ask for all. */
  readonly types: readonly InstanceType[];
  /** AMIs that exist beside moto's. */
  readonly images: readonly string[];
  now(): number;
}

/** An answer, and how it reads when the call is repeated with its token. */
export interface Answer {
  readonly body: readonly Element[];
  again?(): Promise<readonly Element[]>;
}

export type Action = (account: Account, params: Params, call: Call) => Promise<Answer>;

export type Actions = Readonly<Record<string, Action>>;

/** Taken as moto takes it. */
export const pass: Action = async ({ moto }, _params, call) => ({ body: contentOf(await moto.ask(call)) });

export const DONE: Answer = { body: [element('return', true)] };

/** What the core let through. @throws {Refusal} what it refused */
export function allowed<T extends object>(verdict: T): Exclude<T, Refused> {
  if ('refused' in verdict) throw new Refusal(verdict.refused as error.Ec2Error);
  return verdict as Exclude<T, Refused>;
}

export function required(params: Params, name: string): string {
  const value = params[name];
  if (value === undefined || value === '') throw new Refusal(error.missing(name));
  return value;
}

export function wholeNumber(params: Params, name: string): number {
  const text = required(params, name);
  if (!/^\d+$/.test(text)) throw new Refusal(error.invalid(text, name));
  return Number(text);
}

export const contentOf = ({ children }: Element) => children.filter(({ name }) => name !== 'requestId');

export const nextToken = ({ nextToken: token }: { nextToken?: string }) => (token === undefined ? [] : [element('nextToken', token)]);

export function paged(name: string, items: readonly Numbered<Element>[], params: Params, paths: Paths, bounds: Bounds): Answer {
  const { fits } = allowed(filterOf(params, paths));
  const fitting = items.filter(({ item }) => fits(item));
  const page = allowed(pageOf(fitting, params, bounds));
  return { body: [element(name, page.items), ...nextToken(page)] };
}

/** Ids as EC2 has them, 17 hex digits; from the serial number, so that a run can be repeated. */
export function nextId(account: Account, prefix: string): string {
  const serial = account.world.serial + 1;
  account.world = { ...account.world, serial };
  return `${prefix}-${serial.toString(16).padStart(17, '0')}`;
}

/** moto's items of all ENIs, by id. */
export async function eniItems({ moto }: Account): Promise<Map<string, Element>> {
  const all = await moto.ask({ action: 'DescribeNetworkInterfaces', params: {} });
  return new Map(itemsOf(all, 'networkInterfaceSet').map((item) => [textOf(item, 'networkInterfaceId'), item]));
}

/** moto makes a group that it is told of and does not know. */
export async function groupsMustExist({ moto }: Account, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const all = await moto.ask({ action: 'DescribeSecurityGroups', params: {} });
  const known = new Set(itemsOf(all, 'securityGroupInfo').map((item) => textOf(item, 'groupId')));
  for (const id of ids) if (!known.has(id)) throw new Refusal(error.notFound.group(id));
}

/** A subnet of moto's, known from now on. */
export const withSubnet = (world: World, item: Element): World => {
  const id = textOf(item, 'subnetId');
  const subnet = { id, vpcId: textOf(item, 'vpcId'), zone: textOf(item, 'availabilityZone'), cidr: textOf(item, 'cidrBlock') };
  return { ...world, subnets: { ...world.subnets, [id]: subnet } };
};

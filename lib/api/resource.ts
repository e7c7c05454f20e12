/**
 * Resources: one description per kind, of which type, CRD, JSON Schema and reference page are made.
 * Nothing here knows how they are made (crd.ts, json-schema.ts, reference.ts do).
 */
import type * as z from 'zod';
import type { Rule } from './field.ts';
import { integer, list, object, oneOf } from './field.ts';
import { message, timestamp, word } from './fields.ts';

export const GROUP = 'gala.internal';
export const VERSION = 'v1alpha1';
/** Every object Gala renders carries this label. */
export const PART_OF = { 'app.kubernetes.io/part-of': 'gala' } as const;

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly jsonPath: string;
  /** 0 shows always, 1 with `-o wide`. */
  readonly priority?: 0 | 1;
  readonly description?: string;
}

export interface ResourceOptions<Spec extends z.ZodType, Status extends z.ZodType | undefined> {
  /** What it is, in a sentence or two. */
  readonly doc: string;
  readonly scope: 'Cluster' | 'Namespaced';
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** What its names look like; a `text` with a pattern and a noun. */
  readonly name: z.ZodType<string>;
  readonly spec: Spec;
  readonly status?: Status;
  /** `false`: spec and status are written through the same endpoint. @default a status subresource where there is a status */
  readonly statusSubresource?: boolean;
  readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string };
  readonly columns: readonly PrinterColumn[];
  /** Paths that `kubectl get --field-selector` and watches may select by. */
  readonly selectableFields?: readonly string[];
  /** Rules over the whole object. */
  readonly rules?: readonly Rule[];
  /** What the API server can't check of this kind, by name, with who does. */
  readonly checkedElsewhere?: Readonly<Record<string, string>>;
  /** What its page tells beside the fields, Markdown by heading. */
  readonly sections?: Readonly<Record<string, string>>;
  readonly example: z.input<Spec>;
  /** Further examples by what they show. */
  readonly moreExamples?: Readonly<Record<string, z.input<Spec>>>;
}

export interface Resource<
  Kind extends string = string,
  Spec extends z.ZodType = z.ZodType,
  Status extends z.ZodType | undefined = z.ZodType | undefined,
> extends ResourceOptions<Spec, Status> {
  readonly kind: Kind;
  readonly group: string;
  readonly version: string;
  /** `HostPool` → `hostpools.gala.internal`. */
  readonly crdName: string;
}

/** Describes a kind of the group `gala.internal`. */
export function resource<const Kind extends string, Spec extends z.ZodType, Status extends z.ZodType | undefined = undefined>(
  kind: Kind,
  options: ResourceOptions<Spec, Status>,
): Resource<Kind, Spec, Status> {
  return { ...options, kind, group: GROUP, version: VERSION, crdName: `${options.plural}.${GROUP}` };
}

type StatusOf<S> = S extends z.ZodType ? z.output<S> : undefined;

/** An object of the kind, as programs read it (defaults filled in by the API server). */
export type TypeOf<R> =
  R extends Resource<infer Kind, infer Spec, infer Status>
    ? {
        readonly apiVersion: `${typeof GROUP}/${typeof VERSION}`;
        readonly kind: Kind;
        readonly metadata: {
          readonly name: string;
          readonly namespace?: string;
          readonly resourceVersion?: string;
          readonly uid?: string;
          readonly generation?: number;
        };
        readonly spec: z.output<Spec>;
        readonly status?: StatusOf<Status>;
      }
    : never;

/** Which spec the status speaks of. */
export const observedGeneration = integer({
  doc: '`metadata.generation` of the spec that this status speaks of.',
  noun: 'a generation',
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  example: 3,
}).optional();

/** Conditions as KEP-1623 has them; list-map by type. */
export const conditions = list(
  { doc: 'What was found out, one entry a type.', max: 16, key: 'type' },
  object(
    { doc: 'A condition.' },
    {
      type: word('Which fact.', 'Probed'),
      status: oneOf(['True', 'False', 'Unknown'], { doc: 'Whether it holds.', example: 'True' }),
      reason: word('One word, for programs.', 'NoAnswer'),
      message: message('For people.').optional(),
      lastTransitionTime: timestamp('When the status last changed.'),
    },
  ),
).optional();

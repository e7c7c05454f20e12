/**
 * Reference pages: every field with its type, what is allowed, default, example and doc, straight from the schema.
 * `referencePage` is for a kind, `referenceTable` for any zod object (the cluster definition, a concern's options).
 */
import { stringify } from 'yaml';
import type * as z from 'zod';
import type { Rule } from './field.ts';
import type { JsonSchema } from './json-schema.ts';
import { annotated } from './json-schema.ts';
import type { Resource } from './resource.ts';

/** The page of a kind, Markdown. */
export function referencePage(resource: Resource): string {
  const { kind, doc, plural, shortNames, scope, spec, status, example, moreExamples = {}, sections = {} } = resource;
  return page([
    '<!-- Made from lib/api by `npm run imports`; changes here are lost. -->',
    `# ${kind}`,
    doc,
    `\`kubectl get ${[plural, ...shortNames].join('`, `kubectl get ')}\`; all of Gala's kinds: \`kubectl get gala\`. ${scope === 'Cluster' ? 'Belongs to the whole cluster.' : 'Belongs to a namespace.'}`,
    yaml(resource, example),
    ...Object.entries(moreExamples).flatMap(([what, more]) => [`${capital(what)}:`, yaml(resource, more)]),
    '## Fields',
    ...markdownTable([row('metadata.name', annotated(resource.name), true, ''), ...rowsOf(annotated(spec), 'spec.', '')], HEAD),
    ...(status === undefined ? [] : ['## What it reports', ...markdownTable(rowsOf(annotated(status), 'status.', ''), HEAD)]),
    ...Object.entries(sections).flatMap(([heading, text]) => [`## ${heading}`, text]),
    ...refusals(resource),
    ...elsewhere(resource),
    '## Columns of `kubectl get`',
    ...markdownTable(
      resource.columns.map(({ name, jsonPath, priority, description }) => [
        name,
        code(jsonPath.slice(1)),
        priority === 1 ? 'with `-o wide`' : 'always',
        description ?? '',
      ]),
      ['column', 'shows', 'when', ''],
    ),
    ...selecting(resource),
  ]);
}

/** The fields of a zod object as a Markdown table. */
export function referenceTable(schema: z.core.$ZodType): string {
  return markdownTable(rowsOf(annotated(schema), '', ''), HEAD).join('\n');
}

const HEAD = ['field', 'type', 'allowed', 'default', 'example', 'what it is'];

function refusals(resource: Resource): string[] {
  const found = [
    ...rulesOf(annotated(resource.spec), 'spec'),
    ...(resource.rules ?? []).map((rule) => ({ path: (rule.fieldPath ?? '').slice(1), message: rule.message })),
  ];
  if (found.length === 0) return [];
  const head = ['at', 'what it says'];
  return [
    '## When the API server refuses',
    ...markdownTable(
      found.map(({ path, message }) => [code(path), `${message}.`]),
      head,
    ),
  ];
}

function elsewhere({ checkedElsewhere = {} }: Resource): string[] {
  const entries = Object.entries(checkedElsewhere);
  if (entries.length === 0) return [];
  return [
    '## Checked elsewhere',
    'What a schema and its rules cannot carry, and who sees to it once that program is there (README says which are):',
    ...markdownTable(
      entries.map(([what, who]) => [what, who]),
      ['what', 'by'],
    ),
  ];
}

function selecting({ selectableFields, plural }: Resource): string[] {
  if (selectableFields === undefined) return [];
  const fields = selectableFields.map((path) => code(path.slice(1))).join(', ');
  return ['## Selecting', `\`kubectl get ${plural} --field-selector\` takes ${fields}; so do watches.`];
}

/** A line a field: itself, then what is inside it. `only` says for which branch of a union it is there. */
function rowsOf(schema: JsonSchema, prefix: string, only: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    return [row(path, field, schema.required?.includes(name) === true, only), ...inside(field, path, only)];
  });
}

function inside(field: JsonSchema, path: string, only: string): string[][] {
  if (field.properties !== undefined) return rowsOf(field, `${path}.`, only);
  if (field.items !== undefined) return inside(field.items, `${path}[]`, only);
  if (typeof field.additionalProperties === 'object' && field['x-kubernetes-preserve-unknown-fields'] !== true) {
    const each = field.additionalProperties;
    return [
      ...(each.type === 'object' || branches(each).length > 0 ? [] : [row(`${path}.*`, each, false, only)]),
      ...inside(each, `${path}.*`, only),
    ];
  }
  const all = branches(field);
  const shared = (key: string, inner: JsonSchema) =>
    all.every((other) => JSON.stringify(other.schema.properties?.[key]) === JSON.stringify(inner));
  const rows = all.flatMap(({ schema, name, by }, at) =>
    Object.entries(schema.properties ?? {})
      .filter(([key, inner]) => key !== by && (at === 0 || !shared(key, inner)))
      .flatMap(([key, inner]) => {
        const whose = shared(key, inner) ? only : `Only of \`${name}\`. `;
        return rowsOf({ ...schema, properties: { [key]: inner } }, `${path}.`, whose);
      }),
  );
  const tells = all[0] && { enum: all.map(({ name }) => name), description: 'Says which of the following fields there are.' };
  return tells === undefined ? rows : [row(`${path}.${all[0]!.by}`, tells, true, only), ...rows];
}

/** Objects told apart by a field with one fixed word, named by that word. */
function branches(field: JsonSchema): { schema: JsonSchema; name: string; by: string }[] {
  return (field.oneOf ?? field.anyOf ?? []).flatMap((schema) => {
    const found = Object.entries(schema.properties ?? {}).find(([, inner]) => inner.const !== undefined);
    return found === undefined ? [] : [{ schema, name: String(found[1].const), by: found[0] }];
  });
}

function row(path: string, field: JsonSchema, required: boolean, only: string): string[] {
  const fallback = field.default === undefined ? (required ? 'required' : '') : value(field.default);
  return [code(path), typeOf(field), allowed(field), fallback, example(field), `${only}${field.description ?? ''}`];
}

function example({ examples, properties, items }: JsonSchema): string {
  return examples?.[0] === undefined || properties !== undefined || items !== undefined ? '' : value(examples[0]);
}

function typeOf(field: JsonSchema): string {
  if (field.intOrString !== undefined) return 'integer or string';
  if (field.enum !== undefined || field.const !== undefined) return 'word';
  if (branches(field).length > 0) return 'object';
  if (field.items !== undefined) {
    const keys = field['x-kubernetes-list-map-keys'];
    const by = Array.isArray(keys) ? ` by \`${keys.join('`, `')}\`` : field['x-kubernetes-list-type'] === 'set' ? ', each once' : '';
    return `list${by}`;
  }
  if (field.propertyNames !== undefined) return 'record';
  return field.type ?? 'any';
}

function allowed(field: JsonSchema): string {
  const { noun, minimum, maximum, minItems, maxItems, maxLength, maxProperties, items } = field;
  if (field.enum !== undefined) return field.enum.map(value).join(', ');
  if (field.const !== undefined) return value(field.const);
  if (field.intOrString !== undefined) return String(noun ?? '');
  if (minimum !== undefined) return `${minimum} to ${maximum}`;
  if (maxItems !== undefined) {
    const each = items === undefined ? '' : allowed({ ...items, properties: undefined });
    return `${minItems ?? 0} to ${maxItems}${each === '' ? '' : `; each: ${each}`}`;
  }
  if (maxProperties !== undefined) return `at most ${maxProperties}; keys: ${allowed(field.propertyNames ?? {})}`;
  if (maxLength !== undefined) return `${noun === undefined ? '' : `${noun}; `}at most ${maxLength} characters`;
  return noun ?? '';
}

function rulesOf(schema: JsonSchema, path: string): { path: string; message: string }[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as readonly Rule[];
  return [
    ...own.map(({ message, fieldPath = '' }) => ({ path: `${path}${fieldPath}`, message })),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => rulesOf(field, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`)),
  ];
}

function yaml({ group, version, kind, scope, name }: Resource, spec: unknown): string {
  const metadata = { name: annotated(name).examples?.[0], ...(scope === 'Namespaced' ? { namespace: 'feed' } : {}) };
  return `\`\`\`yaml\n${stringify({ apiVersion: `${group}/${version}`, kind, metadata, spec }, { lineWidth: 0 })}\`\`\``;
}

/** Blank lines between blocks; the lines of a table stay together. */
function page(blocks: readonly string[]): string {
  return `${blocks.reduce((text, block) => `${text}${text.endsWith('|') && block.startsWith('|') ? '\n' : '\n\n'}${block}`)}\n`;
}

function markdownTable(rows: readonly (readonly string[])[], head: readonly string[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(inCell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)];
}

/** Outside code, `<` would begin HTML. */
function inCell(text: string): string {
  const parts = text.replaceAll('|', '\\|').split('`');
  return parts.map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '&lt;') : part)).join('`');
}

const code = (text: string) => `\`${text}\``;
const value = (data: unknown) => code(typeof data === 'string' ? data : JSON.stringify(data));
const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

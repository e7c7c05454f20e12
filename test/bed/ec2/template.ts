/**
 * Launch templates: what RunInstances takes from one. moto keeps them, but launches from them by image and tags alone, so the
 * parameters are merged here, under the very names that RunInstances has for them. Pure.
 */
import * as error from './error.ts';
import { type Call, type Params, topOf } from './query.ts';

interface Template {
  readonly id: string;
  readonly name: string;
  /** The first is version 1. */
  readonly versions: readonly Params[];
  readonly defaultVersion: number;
}

export type Templates = Readonly<Record<string, Template>>;

type Refused = { readonly refused: error.Ec2Error };

/** @param id that moto gave a new template */
export const withTemplate = (templates: Templates, { params }: Call, id: string): Templates => ({
  ...templates,
  [id]: { id, name: params.LaunchTemplateName ?? '', versions: [dataOf(params)], defaultVersion: 1 },
});

/** The templates after CreateLaunchTemplateVersion: what is not said is as in `SourceVersion`. */
export function withVersion(templates: Templates, { params }: Call): Refused | { readonly templates: Templates } {
  const template = find(templates, params.LaunchTemplateId, params.LaunchTemplateName);
  if ('refused' in template) return template;
  const source = params.SourceVersion === undefined ? {} : versionOf(template, params.SourceVersion);
  if (isRefused(source)) return source;
  const versions = [...template.versions, merged(source, dataOf(params))];
  return { templates: { ...templates, [template.id]: { ...template, versions } } };
}

export function withDefault(templates: Templates, { params }: Call): Refused | { readonly templates: Templates } {
  const template = find(templates, params.LaunchTemplateId, params.LaunchTemplateName);
  if ('refused' in template) return template;
  const defaultVersion = Number(params.SetDefaultVersion ?? template.defaultVersion);
  if (!(defaultVersion in [0, ...template.versions])) return { refused: error.notFound.templateVersion(String(params.SetDefaultVersion)) };
  return { templates: { ...templates, [template.id]: { ...template, defaultVersion } } };
}

export function withoutTemplate(templates: Templates, { params }: Call): Refused | { readonly templates: Templates } {
  const template = find(templates, params.LaunchTemplateId, params.LaunchTemplateName);
  if ('refused' in template) return template;
  const { [template.id]: _gone, ...rest } = templates;
  return { templates: rest };
}

/** "Any parameters that you specify in RunInstances override the same parameters in the launch template" (API_RunInstances). */
export function launchParams(templates: Templates, params: Params): Refused | { readonly params: Params } {
  const { 'LaunchTemplate.LaunchTemplateId': id, 'LaunchTemplate.LaunchTemplateName': name, 'LaunchTemplate.Version': version } = params;
  if (id === undefined && name === undefined) return { params };
  const template = find(templates, id, name);
  if ('refused' in template) return template;
  const data = versionOf(template, version ?? '$Default');
  if (isRefused(data)) return data;
  return { params: merged(data, Object.fromEntries(Object.entries(params).filter(([each]) => topOf(each) !== 'LaunchTemplate'))) };
}

function merged(under: Params, over: Params): Params {
  const tops = new Set(Object.keys(over).map(topOf));
  return { ...Object.fromEntries(Object.entries(under).filter(([name]) => !tops.has(topOf(name)))), ...over };
}

const PREFIX = 'LaunchTemplateData.';
const dataOf = (params: Params): Params =>
  Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => (name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value]] : [])),
  );

function find(templates: Templates, id: string | undefined, name: string | undefined): Refused | Template {
  const found = id === undefined ? Object.values(templates).find((each) => each.name === name) : templates[id];
  if (found !== undefined) return found;
  return { refused: id === undefined ? error.notFound.templateName(name ?? '') : error.notFound.template(id) };
}

function versionOf({ versions, defaultVersion }: Template, version: string): Refused | Params {
  const number = version === '$Latest' ? versions.length : version === '$Default' ? defaultVersion : Number(version);
  return versions[number - 1] ?? { refused: error.notFound.templateVersion(version) };
}

const isRefused = (from: Refused | Params): from is Refused => typeof from.refused === 'object';

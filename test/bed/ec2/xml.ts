/**
 * XML as EC2's Query protocol has it: elements with elements or text in them, and one namespace on the outermost. What else XML
 * can be, attributes and mixed content, neither EC2 nor moto ever sends. Pure.
 */
export interface Element {
  readonly name: string;
  readonly children: readonly Element[];
  /** Empty where there are children. */
  readonly text: string;
}

type Content = string | number | boolean | readonly (Element | undefined)[];

/** An element of a text, or of those elements that there are. */
export const element = (name: string, content: Content = ''): Element =>
  typeof content === 'object'
    ? { name, children: content.filter((child) => child !== undefined), text: '' }
    : { name, children: [], text: String(content) };

/** @example set('tagSet', [[element('key', 'a')]]) // <tagSet><item><key>a</key></item></tagSet> */
export const set = (name: string, items: readonly (readonly (Element | undefined)[])[]): Element =>
  element(
    name,
    items.map((item) => element('item', item)),
  );

export const child = (parent: Element, name: string): Element | undefined => parent.children.find((each) => each.name === name);

/** The `item`s of a set; none where there is no such set. */
export const itemsOf = (parent: Element, name: string): readonly Element[] => child(parent, name)?.children ?? [];

export const textOf = (parent: Element, name: string): string => child(parent, name)?.text ?? '';

/** The texts at the end of a path, through every `item` on the way. */
export function textsAt(from: Element, path: readonly string[]): string[] {
  const [name, ...rest] = path;
  if (name === undefined) return [from.text];
  return from.children.filter((each) => each.name === name).flatMap((each) => textsAt(each, rest));
}

/** With these elements in place of those of the same names. */
export function withChildren(parent: Element, replacements: readonly Element[]): Element {
  const names = new Set(replacements.map(({ name }) => name));
  const kept = parent.children.filter(({ name }) => !names.has(name));
  return { ...parent, text: '', children: [...kept, ...replacements] };
}

export const without = (parent: Element, ...names: string[]): Element => ({
  ...parent,
  children: parent.children.filter(({ name }) => !names.includes(name)),
});

const TOKEN = /<\?[^>]*>|<(\/?)([^\s>/]+)[^>]*?(\/?)>|([^<]+)/g;

/** Throws on what is no XML. */
export function parseXml(xml: string): Element {
  interface Open {
    readonly name: string;
    readonly children: Element[];
    text: string;
  }
  const root: Open = { name: '', children: [], text: '' };
  const open: Open[] = [root];
  for (const [, closes, name, empty, text] of xml.matchAll(TOKEN)) {
    const current = open.at(-1) as Open;
    if (text !== undefined) current.text += text;
    else if (name === undefined) continue;
    else if (closes) {
      if (current.name !== name || open.length === 1) throw new Error(`</${name}> closes <${current.name}>: ${xml.slice(0, 200)}`);
      open.pop();
      open.at(-1)?.children.push({
        name,
        children: current.children,
        text: current.children.length > 0 ? '' : plain(current.text),
      });
    } else if (empty) current.children.push(element(name));
    else open.push({ name, children: [], text: '' });
  }
  const [found, ...more] = root.children;
  if (found === undefined || more.length > 0 || open.length > 1) throw new Error(`this is not one XML element: ${xml.slice(0, 200)}`);
  return found;
}

/** @param namespace of the outermost element */
export function writeXml({ name, children, text }: Element, namespace?: string): string {
  const inner = children.length > 0 ? children.map((each) => writeXml(each)).join('') : escaped(text);
  return `<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${inner}</${name}>`;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const plain = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, named) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    return hex ? String.fromCodePoint(Number.parseInt(hex, 16)) : (ENTITIES[named] ?? whole);
  });

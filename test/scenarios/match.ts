/** Holds what came against what was wanted: each want met as often as it says, and nothing else. */
import type { Facts } from '../../core/incident.ts';
import { incidentOf, type Shows, type Want, type WantedPost, type WantOf } from './format.ts';
import type { Edit, Posting } from './judging.ts';

export interface Unmet {
  want: Want;
  /** Why, where more can be said than that nothing came. */
  why: string;
}

export interface Match {
  unmet: Unmet[];
  /** What no want names. */
  unnamed: Posting[];
  /** The incident behind each letter. */
  letters: Map<string, number>;
}

/** What a scenario was met by. */
export function match(wants: readonly Want[], postings: readonly Posting[], edits: readonly Edit[]): Match {
  const isOpen = (want: Want): want is WantOf<'open'> => want.is === 'open';
  const opens = assign(
    wants.filter(isOpen),
    postings.filter((one) => one.kind === 'open'),
    (want, posting) => fits(want, posting, new Map()),
  );
  const letters = new Map(
    [...opens.met].flatMap(([posting, want]): [string, number][] => (want.as === undefined ? [] : [[want.as, posting.incident]])),
  );
  const others = wants.filter((want): want is Exclude<WantedPost, { is: 'open' }> => want.is !== 'open' && want.is !== 'shows');
  const rest = assign(
    others,
    postings.filter((one) => one.kind !== 'open'),
    (want, posting) => fits(want, posting, letters),
  );
  const shows = wants.filter((want): want is Shows => want.is === 'shows').flatMap((want) => unshown(want, letters, edits) ?? []);
  const unmet = [...opens.unmet, ...rest.unmet].map((want): Unmet => ({ want, why: nearest(want, postings, letters) }));
  const met = new Set<Posting>([...opens.met.keys(), ...rest.met.keys()]);
  return { unmet: [...unmet, ...shows], unnamed: postings.filter((one) => !met.has(one)), letters };
}

/** The incident that a letter stands for, as far as is known. */
export function letterOf(letter: string, wants: readonly Want[], postings: readonly Posting[]): number | undefined {
  return match(wants, postings, []).letters.get(letter);
}

interface Assigned<W> {
  met: Map<Posting, W>;
  /** Once for each time that is missing. */
  unmet: W[];
}

/** A largest assignment of postings to wants (Kuhn): first as often as each must be met, then as often as it may be. */
function assign<W extends WantedPost>(
  wants: readonly W[],
  postings: readonly Posting[],
  suits: (want: W, posting: Posting) => boolean,
): Assigned<W> {
  const places = wants.flatMap((want) => {
    const [least, most] = want.times;
    return Array.from({ length: Math.min(most, postings.length + least) }, (_, index) => ({ want, must: index < least }));
  });
  type Place = (typeof places)[number];
  const at = new Map<Place, Posting>();
  const taken = new Map<Posting, Place>();
  const seat = (posting: Posting, among: readonly Place[], tried: Set<Place>): boolean => {
    for (const place of among) {
      if (tried.has(place) || !suits(place.want, posting)) continue;
      tried.add(place);
      const before = at.get(place);
      if (before && !seat(before, among, tried)) continue;
      at.set(place, posting);
      taken.set(posting, place);
      return true;
    }
    return false;
  };
  const required = places.filter((place) => place.must);
  for (const posting of postings) seat(posting, required, new Set());
  for (const posting of postings) if (!taken.has(posting)) seat(posting, places, new Set());
  return {
    met: new Map([...taken].map(([posting, place]) => [posting, place.want])),
    unmet: required.filter((place) => !at.has(place)).map((place) => place.want),
  };
}

function fits(want: WantedPost, posting: Posting, letters: ReadonlyMap<string, number>): boolean {
  return isSame(want, posting, letters) && isIn(want, posting) && misses(want, posting).length === 0;
}

function isIn({ between: [from, to] }: WantedPost, { atMs }: Posting): boolean {
  return atMs >= from && atMs <= to;
}

/** The same thing told, of the same incident, whenever and in whatever words. */
function isSame(want: WantedPost, posting: Posting, letters: ReadonlyMap<string, number>): boolean {
  if (want.is !== posting.kind) return false;
  const letter = incidentOf(want);
  if (letter !== undefined && letters.get(letter) !== posting.incident) return false;
  if (want.is === 'open') return want.open === posting.class;
  if (want.is === 'raise') return want.raise === posting.class;
  if (want.is === 'lower') return want.lower === posting.class;
  if (want.is === 'line') return want.line === posting.entry;
  return want.is === 'resolve' || want.notice === posting.entry;
}

type Said = Pick<WantedPost, 'about' | 'tenants' | 'cause' | 'says' | 'omits'>;
type Speaking = Pick<Posting, 'class' | 'facts' | 'text'>;

/** What the words or facts have other than wanted, in words. */
function misses(want: Said, { class: klass, facts, text }: Speaking): string[] {
  const wrong: string[] = [];
  const sets: [string, readonly string[] | undefined, readonly string[]][] = [
    ['about', want.about, facts ? aboutOf(facts, klass) : []],
    ['tenants', want.tenants, facts?.tenants.map((one) => one.id) ?? []],
  ];
  for (const [name, wanted, got] of sets) {
    if (wanted && !isSameSet(wanted, got)) wrong.push(`${name} [${got.join(', ')}], wanted [${wanted.join(', ')}]`);
  }
  const cause = facts ? causeOf(facts) : undefined;
  if (want.cause !== undefined && want.cause !== cause) wrong.push(`cause ${cause ?? 'none'}, wanted ${want.cause}`);
  const spoken = text.toLowerCase();
  for (const words of want.says ?? []) if (!spoken.includes(words.toLowerCase())) wrong.push(`does not say "${words}"`);
  for (const words of want.omits ?? []) if (spoken.includes(words.toLowerCase())) wrong.push(`says "${words}"`);
  return wrong;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).symmetricDifference(new Set(b)).size === 0;
}

/** What a post is about: services; of a risk the components, of blindness the locations, or the checks where no location is to blame. */
export function aboutOf(facts: Facts, klass: string): string[] {
  const ids = (list: readonly { id: string }[]) => list.map((one) => one.id);
  if (klass === 'risk') return ids(facts.components);
  if (klass === 'blind') return ids(facts.locations ?? []).length > 0 ? ids(facts.locations) : ids(facts.blind);
  return ids(facts.services);
}

/** The first suspect: a component, a tenant, `change:` and a change's title; of blindness the location. */
export function causeOf(facts: Facts): string | undefined {
  const first = facts.suspects?.[0];
  if (first) return first.kind === 'change' ? `change:${first.title}` : first.id;
  return facts.locations?.[0]?.id;
}

function unshown(want: Shows, letters: ReadonlyMap<string, number>, edits: readonly Edit[]): Unmet | undefined {
  const incident = letters.get(want.shows);
  if (incident === undefined) return { want, why: `${want.shows} never opened` };
  const edit = edits.findLast((one) => one.incident === incident && one.atMs <= want.at);
  if (!edit) return { want, why: `INC-${incident} was not open yet` };
  const wrong = misses(want, { class: edit.class, facts: edit.facts, text: edit.text });
  if (want.class !== undefined && want.class !== edit.class) wrong.unshift(`class ${edit.class}, wanted ${want.class}`);
  return wrong.length === 0 ? undefined : { want, why: `INC-${incident} showed ${wrong.join('; ')}` };
}

/** What came nearest to a want that nothing met. */
function nearest(want: WantedPost, postings: readonly Posting[], letters: ReadonlyMap<string, number>): string {
  const letter = incidentOf(want);
  if (letter !== undefined && !letters.has(letter)) return `${letter} never opened`;
  const same = postings.filter((posting) => isSame(want, posting, letters));
  const inTime = same.find((posting) => isIn(want, posting));
  if (inTime) return `at ${inTime.atMs / 1000} s: ${misses(want, inTime).join('; ') || 'it came, but not so often'}`;
  if (same.length > 0) return `it came at ${same.map((posting) => `${posting.atMs / 1000} s`).join(', ')}`;
  return 'nothing like it came';
}

import type { WebAPIPlatformError } from '@slack/web-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Block, Element, Json } from '../../bot/desk/shapes.ts';
import { refusalOf } from '../../bot/desk/views/faults.ts';
import { Triggers } from '../../bot/desk/views/triggers.ts';
import { actionOf, stateOf } from '../../bot/desk/views/values.ts';
import { modalOf, plain, section, type TestDesk, testDesk } from '../helpers/desk.ts';

const input = (blockId: string, element: object): Block => ({
  type: 'input',
  block_id: blockId,
  label: plain('A field'),
  element: element as Element,
});
const textInput = { type: 'plain_text_input', action_id: 'text' };
const options = [
  { text: plain('One'), value: '1' },
  { text: plain('Two'), value: '2' },
];

/** What is said of a modal with these blocks, without what is said of every wrong view. */
function faultsOf(blocks: unknown, more: object = {}): string[] | undefined {
  const view = { type: 'modal', title: plain('Title'), submit: plain('Go'), blocks, ...more } as Json;
  return refusalOf(view, 'modal')?.messages.slice(1);
}

describe('a view that Slack would refuse', () => {
  const section1 = section('x');
  const cases: [string, unknown, object, string][] = [
    ['without a title', [section1], { title: undefined }, 'missing required field: title [json-pointer:/view]'],
    ['a long title', [section1], { title: plain('x'.repeat(25)) }, 'must be less than 25 characters [json-pointer:/view/title/text]'],
    ['a long button', [section1], { submit: plain('x'.repeat(25)) }, 'must be less than 25 characters [json-pointer:/view/submit/text]'],
    [
      'a title with marks',
      [section1],
      { title: { type: 'mrkdwn', text: 'x' } },
      'unsupported type: mrkdwn [json-pointer:/view/title/type]',
    ],
    ['another type', [section1], { type: 'home' }, 'unsupported type: home [json-pointer:/view/type]'],
    ['a field of ours', [section1], { owner: 'x' }, 'invalid additional property: owner [json-pointer:/view]'],
    [
      'much metadata',
      [section1],
      { private_metadata: 'x'.repeat(3_001) },
      'must be less than 3001 characters [json-pointer:/view/private_metadata]',
    ],
    ['no blocks', undefined, {}, 'missing required field: blocks [json-pointer:/view]'],
    ['101 blocks', Array(101).fill(section1), {}, 'no more than 100 items allowed [json-pointer:/view/blocks]'],
    ['an unknown block', [{ type: 'table_of' }], {}, 'unsupported type: table_of [json-pointer:/view/blocks/0/type]'],
    ['an empty text', [section('')], {}, 'must be more than 0 characters [json-pointer:/view/blocks/0/text/text]'],
    ['a section of nothing', [{ type: 'section' }], {}, 'missing required field: text [json-pointer:/view/blocks/0]'],
    [
      'one block_id twice',
      [input('a', textInput), input('a', textInput)],
      {},
      '`block_id` "a" already exists [json-pointer:/view/blocks/1/block_id]',
    ],
    [
      'inputs without a submit button',
      [input('a', textInput)],
      { submit: undefined },
      'must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]',
    ],
    ['a label missing', [{ type: 'input', element: textInput }], {}, 'missing required field: label [json-pointer:/view/blocks/0]'],
    ['a button as input', [input('a', { type: 'button' })], {}, 'unsupported type: button [json-pointer:/view/blocks/0/element/type]'],
    [
      'a menu of nothing',
      [input('a', { type: 'static_select', options: [] })],
      {},
      'no less than 1 items required [json-pointer:/view/blocks/0/element/options]',
    ],
    [
      'a long option',
      [input('a', { type: 'static_select', options: [{ text: plain('x'.repeat(76)), value: 'x' }] })],
      {},
      'must be less than 76 characters [json-pointer:/view/blocks/0/element/options/0/text/text]',
    ],
    [
      'eleven boxes',
      [input('a', { type: 'checkboxes', options: Array.from({ length: 11 }, (_one, index) => ({ text: plain('x'), value: `${index}` })) })],
      {},
      'no more than 10 items allowed [json-pointer:/view/blocks/0/element/options]',
    ],
    [
      'an initial option that is none',
      [input('a', { type: 'static_select', options, initial_option: null })],
      {},
      'must provide an object [json-pointer:/view/blocks/0/element/initial_option]',
    ],
    [
      'an initial option of another text',
      [input('a', { type: 'static_select', options, initial_option: { text: plain('Other'), value: '1' } })],
      {},
      'must match one of the options [json-pointer:/view/blocks/0/element/initial_option]',
    ],
    [
      'a number that is one',
      [input('a', { type: 'number_input', is_decimal_allowed: false, min_value: 1 })],
      {},
      'must provide a string [json-pointer:/view/blocks/0/element/min_value]',
    ],
    [
      'a number input without its kind',
      [input('a', { type: 'number_input' })],
      {},
      'missing required field: is_decimal_allowed [json-pointer:/view/blocks/0/element]',
    ],
    [
      'a strange date',
      [input('a', { type: 'datepicker', initial_date: '1 March' })],
      {},
      'must be in the format YYYY-MM-DD [json-pointer:/view/blocks/0/element/initial_date]',
    ],
  ];

  test.each(cases)('%s', (_name, blocks, more, expected) => {
    expect(faultsOf(blocks, more)).toContain(`[ERROR] ${expected}`);
  });

  test('one that is right is taken, with everything that Rounds may use', () => {
    const select = { type: 'static_select', action_id: 'a', option_groups: [{ label: plain('All'), options }], initial_option: options[1] };
    expect(faultsOf([section('x'), input('a', textInput), input('b', select), { type: 'divider' }])).toBeUndefined();
    expect(refusalOf({ type: 'home', blocks: [section('x')] }, 'home')).toBeUndefined();
    expect(refusalOf({ type: 'home', blocks: [], title: plain('x') }, 'home')?.messages).toContain(
      '[ERROR] invalid additional property: title [json-pointer:/view]',
    );
  });

  test('one that is too large', () => {
    const blocks = Array.from({ length: 90 }, () => section('x'.repeat(2_900)));
    expect(refusalOf({ type: 'modal', title: plain('x'), blocks }, 'modal')).toEqual({ error: 'view_too_large', messages: [] });
  });
});

describe('a trigger', () => {
  test('is good for 3 s and once', () => {
    let nowMs = 1_000_000;
    const triggers = new Triggers(() => nowMs);
    const origin = { userId: 'U0ANA', client: 'page' };
    const [first, second] = [triggers.issue(origin), triggers.issue(origin)];
    nowMs += 3_000;
    expect(triggers.take(first)).toMatchObject(origin);
    expect(triggers.take(first)).toEqual({ error: 'exchanged_trigger_id' });
    nowMs += 1;
    expect(triggers.take(second)).toEqual({ error: 'expired_trigger_id' });
    expect(triggers.take('made.up')).toEqual({ error: 'invalid_trigger_id' });
    nowMs += 10 * 60_000;
    triggers.issue(origin);
    expect(triggers.take(second)).toEqual({ error: 'invalid_trigger_id' });
  });
});

describe('the state', () => {
  const elements: [string, object, Json, Json][] = [
    ['plain_text_input', {}, { value: null }, { value: 'x' }],
    ['number_input', { initial_value: '3' }, { value: '3' }, { value: 'x' }],
    ['users_select', { initial_user: 'U0BEN' }, { selected_user: 'U0BEN' }, { selected_user: 'x' }],
    ['datepicker', {}, { selected_date: null }, { selected_date: 'x' }],
    ['timepicker', { initial_time: '07:30' }, { selected_time: '07:30' }, { selected_time: 'x' }],
    ['static_select', { options }, { selected_option: null }, { selected_option: null }],
    ['multi_static_select', { options, initial_options: [options[1]] }, { selected_options: [options[1]] }, { selected_options: [] }],
    ['checkboxes', { options }, { selected_options: [] }, { selected_options: [] }],
    ['radio_buttons', { options, initial_option: options[0] }, { selected_option: options[0] }, { selected_option: null }],
    ['external_select', { initial_option: options[0] }, { selected_option: options[0] }, { selected_option: null }],
  ];

  test.each(elements)('of a %s, untouched and touched', (type, more, untouched, touched) => {
    const blocks = [input('block', { type, action_id: 'action', ...more })];
    expect(stateOf(blocks, {})).toEqual({ block: { action: { type, ...untouched } } });
    expect(stateOf(blocks, { block: { action: 'x' } })).toEqual({ block: { action: { type, ...touched } } });
  });

  test('has no buttons in it, and an action says what was chosen', () => {
    const select = { type: 'static_select', action_id: 'a', options };
    const block: Block = { type: 'actions', block_id: 'row', elements: [{ type: 'button', action_id: 'b', text: plain('Go') }, select] };
    expect(stateOf([block], {})).toEqual({ row: { a: { type: 'static_select', selected_option: null } } });
    expect(actionOf(select, 'row', '2')).toMatchObject({
      type: 'static_select',
      block_id: 'row',
      action_id: 'a',
      selected_option: options[1],
    });
  });
});

describe('the Web API', () => {
  let desk: TestDesk;
  const refusalFrom = (call: Promise<unknown>) => call.catch((error: WebAPIPlatformError) => error.data.error);

  beforeAll(async () => {
    desk = await testDesk();
  });
  afterAll(() => desk.close());

  test('opens nothing without a trigger of its own', async () => {
    const { views } = desk.web;
    expect(await refusalFrom(views.open({ trigger_id: '123.456.abc', view: modalOf([section('x')]) }))).toBe('invalid_trigger_id');
    expect(await refusalFrom(views.push({ trigger_id: '123.456.abc', view: modalOf([section('x')]) }))).toBe('invalid_trigger_id');
    expect(await refusalFrom(views.open({ trigger_id: '', view: modalOf([section('x')]) }))).toBe('invalid_arguments');
    expect(await refusalFrom(views.update({ view_id: 'V0123', view: modalOf([section('x')]) }))).toBe('not_found');
    expect(await refusalFrom(desk.web.apiCall('views.generateTriggerId', { user_id: 'U0ANA' }))).toBe('unknown_method');
  });

  test('publishes a Home tab once for each hash, with every field of a view', async () => {
    const { views } = desk.web;
    const home = (text: string) => ({ type: 'home' as const, external_id: 'ana', blocks: [section(text)] });
    const first = await views.publish({ user_id: 'U0ANA', view: home('one') });
    const second = await views.publish({ user_id: 'U0ANA', view: home('two'), hash: first.view?.hash ?? '' });
    expect(await refusalFrom(views.publish({ user_id: 'U0ANA', view: home('three'), hash: first.view?.hash ?? '' }))).toBe('hash_conflict');
    expect(await refusalFrom(views.publish({ user_id: 'U0BEN', view: home('his') }))).toBe('duplicate_external_id');
    expect(await refusalFrom(views.publish({ user_id: 'U0NOBODY', view: home('x') }))).toBe('user_not_found');
    expect(second.view).toMatchObject({
      id: first.view?.id,
      team_id: 'T000000001',
      type: 'home',
      title: null,
      close: null,
      submit: null,
      private_metadata: '',
      state: { values: {} },
      previous_view_id: null,
      root_view_id: first.view?.id,
      app_id: 'A0ROUNDS',
      bot_id: 'B0ROUNDS',
    });
    expect(second.view?.blocks?.[0]?.block_id).toMatch(/^.{5}$/);
    const updated = await views.update({ external_id: 'ana', view: home('four') });
    expect(updated.view?.hash).not.toBe(second.view?.hash);
  });
});

/** A form with everything in it. */
import type { KnownBlock } from '@slack/web-api';
import { plain, section } from './desk.ts';

/** An option of a menu. */
export const option = (text: string, value: string) => ({ text: plain(text), value });

/** A modal's blocks with a field of every kind that Rounds may use. */
export const FIELDS: KnownBlock[] = [
  section('Runs *now*, from every location.'),
  {
    type: 'input',
    block_id: 'check',
    label: plain('Check'),
    hint: plain('As it stands in the configuration.'),
    element: {
      type: 'plain_text_input',
      action_id: 'name',
      min_length: 3,
      placeholder: plain('post-invoice/riverside'),
      focus_on_load: true,
    },
  },
  {
    type: 'input',
    block_id: 'times',
    label: plain('How often'),
    element: { type: 'number_input', action_id: 'count', is_decimal_allowed: false, min_value: '1', max_value: '5', initial_value: '1' },
  },
  {
    type: 'input',
    block_id: 'location',
    label: plain('Location'),
    element: {
      type: 'static_select',
      action_id: 'where',
      options: [option('North', 'north'), option('South', 'south')],
      initial_option: option('North', 'north'),
    },
  },
  {
    type: 'input',
    block_id: 'clinics',
    label: plain('Clinics'),
    optional: true,
    element: {
      type: 'multi_static_select',
      action_id: 'which',
      options: [option('Riverside', 'riverside'), option('Hillcrest', 'hillcrest'), option('Lakeside', 'lakeside')],
    },
  },
  {
    type: 'input',
    block_id: 'person',
    label: plain('On behalf of'),
    optional: true,
    element: { type: 'users_select', action_id: 'who' },
  },
  {
    type: 'input',
    block_id: 'tell',
    label: plain('Tell'),
    optional: true,
    element: { type: 'checkboxes', action_id: 'whom', options: [option('The channel', 'channel'), option('The owner', 'owner')] },
  },
  {
    type: 'input',
    block_id: 'speed',
    label: plain('Speed'),
    element: { type: 'radio_buttons', action_id: 'pace', options: [option('Usual', 'usual'), option('Careful', 'careful')] },
  },
  {
    type: 'input',
    block_id: 'until',
    label: plain('Until'),
    optional: true,
    element: { type: 'datepicker', action_id: 'day', initial_date: '2026-03-01' },
  },
  { type: 'input', block_id: 'at', label: plain('At'), optional: true, element: { type: 'timepicker', action_id: 'hour' } },
  {
    type: 'input',
    block_id: 'incident',
    label: plain('Incident'),
    optional: true,
    element: { type: 'external_select', action_id: 'find', min_query_length: 0, placeholder: plain('Search') },
  },
  {
    type: 'input',
    block_id: 'answer',
    label: plain('Answer in'),
    element: { type: 'conversations_select', action_id: 'there', response_url_enabled: true },
  },
];

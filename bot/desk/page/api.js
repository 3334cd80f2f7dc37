/** What the page asks of the desk's server. */

/** This page, among those that one person may have open: a modal opens where its button was pressed. */
export const client = crypto.randomUUID();

/**
 * @param {string} address
 * @returns {Promise<any>} the JSON at the address
 */
export async function get(address) {
  return answerOf(await fetch(address));
}

/**
 * @param {string} address
 * @param {object} body
 * @returns {Promise<any>} the JSON of the answer
 */
export async function post(address, body) {
  return answerOf(await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }));
}

/** @param {Response} response */
async function answerOf(response) {
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `The desk answered HTTP ${response.status}`);
  return answer;
}

/** The dialog of a button that asks first. */

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/**
 * @param {{title?: {text: string}, text?: {text: string}, confirm?: {text: string}, deny?: {text: string}, style?: string}} confirm Slack's confirm object
 * @returns {Promise<boolean>} whether the person said yes
 */
export function askFirst(confirm) {
  const dialog = element('confirm');
  element('confirm-title').textContent = confirm.title?.text ?? 'Are you sure?';
  element('confirm-text').textContent = confirm.text?.text.replace(/[*`]/g, '') ?? '';
  element('confirm-yes').textContent = confirm.confirm?.text ?? 'Yes';
  element('confirm-yes').className = `button ${confirm.style === 'danger' ? 'danger' : 'primary'} solid`;
  element('confirm-deny').textContent = confirm.deny?.text ?? 'Cancel';
  return new Promise((resolve) => {
    let yes = false;
    element('confirm-yes').onclick = () => {
      yes = true;
      dialog.close();
    };
    element('confirm-deny').onclick = () => dialog.close();
    dialog.onclose = () => resolve(yes);
    dialog.showModal();
  });
}

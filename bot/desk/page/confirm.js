/** The dialog of a button that asks first. */

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/**
 * @param {{title: string, html: string, yes: string, no: string, style: string}} confirm Slack's confirm object as the server rendered it
 * @returns {Promise<boolean>} whether the person said yes
 */
export function askFirst(confirm) {
  const dialog = element('confirm');
  element('confirm-title').textContent = confirm.title;
  element('confirm-text').innerHTML = confirm.html;
  element('confirm-yes').textContent = confirm.yes;
  element('confirm-yes').className = `button ${confirm.style}`;
  element('confirm-deny').textContent = confirm.no;
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

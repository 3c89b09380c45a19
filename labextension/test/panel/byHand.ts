/** A form as its user meets it: by the words on it. */

/** Let the panel draw what has changed. */
export const turn = () => new Promise(resolve => setTimeout(resolve, 5));

/** Let Preact finish: what it does after a frame would else find the page gone when a file's tests are over. */
export const rest = () => new Promise(resolve => setTimeout(resolve, 100));

export class Form {
  constructor(readonly host: HTMLElement) {}

  control(label: string): HTMLInputElement {
    const found = [...this.host.querySelectorAll('label')].find(item => item.textContent === label);
    return this.host.querySelector<HTMLInputElement>(`#${found!.htmlFor}`)!;
  }

  button(label: string): HTMLButtonElement | undefined {
    return [...this.host.querySelectorAll('button')].find(item => item.textContent === label);
  }

  async press(label: string): Promise<void> {
    this.button(label)!.click();
    await turn();
  }

  async tick(label: string): Promise<void> {
    this.control(label).click();
    await turn();
  }

  async type(label: string, value: string): Promise<void> {
    const field = this.control(label);
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await turn();
  }
}

/** A part of a document that a script makes, between two comments. The first names the script. */
export class Section {
  readonly #begin: string;
  readonly #end: string;

  /**
   * @param name what the comments call it
   * @param script the script's name in this folder, without its suffix
   */
  constructor(name: string, script: string) {
    this.#begin = `<!-- ${name}: made by scripts/pages/${script}.ts -->`;
    this.#end = `<!-- /${name} -->`;
  }

  /**
   * A document with this content in its place.
   *
   * @throws Error if the document has no place for it
   */
  in(document: string, content: string): string {
    const begin = document.indexOf(this.#begin);
    const end = document.indexOf(this.#end);
    if (begin < 0 || end < begin) throw new Error(`a document lacks the lines ${this.#begin} and ${this.#end}`);
    return `${document.slice(0, begin + this.#begin.length)}\n\n${content}\n\n${document.slice(end)}`;
  }
}

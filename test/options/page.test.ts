import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { OPTIONS_PAGE, optionsPage } from '../../scripts/pages/options-page.js';
import { README, withOptionsTable } from '../../scripts/pages/options-table.js';
import { OPTION_ROWS, PLANNED_OPTIONS } from '../../src/options/table.js';

describe('the README’s table of options', () => {
  it('is what the table in src/options makes of it (node build/scripts/pages/options-table.js)', () => {
    const readme = readFileSync(README, 'utf8');
    expect(withOptionsTable(readme)).to.equal(readme);
    for (const { variable } of OPTION_ROWS) expect(readme).to.include(`| \`SOCKET_TUNE_${variable}\` |`);
  });
});

describe('docs/options.md', () => {
  it('is what the table makes of it (node build/scripts/pages/options-page.js)', () => {
    expect(readFileSync(OPTIONS_PAGE, 'utf8')).to.equal(optionsPage());
  });

  it('has a section for every option, and names what is to come', () => {
    const page = optionsPage();
    for (const { variable } of OPTION_ROWS) expect(page).to.include(`\n## ${variable}\n`);
    for (const { variable } of PLANNED_OPTIONS) expect(page).to.include(`\`SOCKET_TUNE_${variable}\``);
  });
});

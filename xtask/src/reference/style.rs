//! How the page looks.

pub(super) const STYLE: &str = "\
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; box-sizing: border-box; padding: 1rem;
  border-right: 1px solid var(--line); font-size: 14px; }
nav a { display: block; padding: 2px 0; color: inherit; text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
nav h1, main > h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
nav h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; margin: 1rem 0 .25rem; opacity: .7; }
main { padding: 1rem 2rem 6rem; max-width: 60rem; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1.5rem; }
h3 { margin: .5rem 0; } h4 { margin: 1rem 0 .25rem; }
code, pre { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { border: 1px solid var(--line); border-radius: 4px; padding: .5rem; white-space: pre-wrap; }
dl { margin: .25rem 0; } dt { margin-top: .4rem; } dd { margin: 0 0 0 1rem; padding-left: .75rem; border-left: 2px solid var(--line); }
dd p, .part p, .type { margin: .1rem 0; }
.type, small { opacity: .8; font-size: 13px; } .part { margin-left: 1rem; }
.call b { display: inline-block; min-width: 4.5rem; } .scope { margin: 0; font-size: 13px; }
details { margin: .25rem 0; } summary { cursor: pointer; } summary code { font-weight: bold; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 1rem; } }
@media print { nav { display: none; } body { display: block; } }
";

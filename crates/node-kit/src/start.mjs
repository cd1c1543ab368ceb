// Runs a model from the arguments: its name, its source, then names and sources of modules, each
// after those that it imports. A module has no file, so that its URL is its source.
const [name, model, ...modules] = process.argv.splice(1);
process.argv.push(name);

const urls = {};
const url = (source) => {
  const own = source.replace(/"(?:\.|node-kit)\/(\w+)\.mjs"/g, (_, name) => `"${urls[name]}"`);
  return `data:text/javascript;base64,${Buffer.from(own).toString("base64")}`;
};
for (let at = 0; at < modules.length; at += 2) urls[modules[at]] = url(modules[at + 1]);
await import(url(model));

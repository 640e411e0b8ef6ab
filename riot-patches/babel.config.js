// The npm package of riot-web leaves out its dotfiles, so how to compile it has to be said here.
// Targets are the oldest browsers that riot-web 1.7.14 itself supports.
module.exports = {
  sourceMaps: true,
  presets: [
    ["@babel/preset-env", { targets: ["chrome 70", "firefox 68"] }],
    "@babel/preset-typescript",
    "@babel/preset-flow",
    "@babel/preset-react",
  ],
  plugins: [
    ["@babel/plugin-proposal-decorators", { legacy: true }],
    "@babel/plugin-proposal-export-default-from",
    "@babel/plugin-proposal-numeric-separator",
    "@babel/plugin-proposal-class-properties",
    "@babel/plugin-proposal-object-rest-spread",
    "@babel/plugin-transform-flow-comments",
    "@babel/plugin-syntax-dynamic-import",
    "@babel/plugin-transform-runtime",
  ],
};

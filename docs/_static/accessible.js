// What the theme leaves open for keyboards and screen readers.
// Blocks that scroll sideways can be reached with the Tab key.
for (const block of document.querySelectorAll("pre, .table-wrapper")) block.tabIndex = 0;
// Each landmark has a name of its own, and links of the page stand in one.
document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Pages");
document.querySelector(".toc-drawer")?.setAttribute("aria-label", "Contents of this page");
for (const icons of document.querySelectorAll(".content-icon-container")) {
  icons.setAttribute("role", "navigation");
  icons.setAttribute("aria-label", "This page");
}
// Sphinx writes a signature of several lines as a list of definitions without terms.
for (const list of document.querySelectorAll("dt > dl")) {
  const lines = document.createElement("div");
  for (const definition of list.children) {
    const line = document.createElement("div");
    line.style.paddingInlineStart = "2em";
    line.append(...definition.childNodes);
    lines.append(line);
  }
  list.replaceWith(lines);
}

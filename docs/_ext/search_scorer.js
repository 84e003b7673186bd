// How the search orders its results: the values of Sphinx, but records of decisions come after all other pages.
var Scorer = {
  score: ([docname, , , , score]) => (docname.startsWith("decisions/") ? score - 1000 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

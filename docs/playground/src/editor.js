// The editor: CodeMirror with Python, coloured by the page's own style sheet.
import { python } from "@codemirror/lang-python";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { classHighlighter } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { keymap } from "@codemirror/view";

/** An editor in an element: `changed` hears of each change, `run` of Ctrl-Enter. */
export function editor(parent, { changed, run }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (run(), true) }])),
        basicSetup,
        python(),
        syntaxHighlighting(classHighlighter),
        lintGutter(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "Your code, in Python. Tab leaves it, Control Enter runs it." }),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } });
    },
    /** Mark a line as wrong; 0 for none. */
    mark(number, message) {
      const lines = view.state.doc.lines;
      const found = [];
      if (number > 0 && number <= lines) {
        const line = view.state.doc.line(number);
        found.push({ from: line.from, to: line.to, severity: "error", message });
      }
      view.dispatch(setDiagnostics(view.state, found));
    },
    focus: () => view.focus(),
  };
}

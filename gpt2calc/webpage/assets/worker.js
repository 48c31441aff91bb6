// What takes longer than a person would wait for is answered by a worker, which runs the scripts that compute.

/** What a worker is asked for by name: each gives plain data. */
const ANSWERS = {};

if (typeof document === "undefined")
  onmessage = async ({ data: [turn, name, given] }) => {
    try {
      postMessage([turn, await ANSWERS[name](...given)]);
    } catch (error) {
      postMessage([turn, null, error.message]);
    }
  };

let worker = null;
const waiting = [];

/** Ask a worker, which is started when it is first asked; what it refuses is a Sentence. */
function ask(name, ...given) {
  if (!worker) {
    worker = new Worker(URL.createObjectURL(new Blob([core.text])));
    worker.onmessage = ({ data: [turn, answer, problem] }) =>
      problem === undefined ? waiting[turn].resolve(answer) : waiting[turn].reject(new Sentence(problem));
  }
  return new Promise((resolve, reject) => {
    worker.postMessage([waiting.length, name, given]);
    waiting.push({ resolve, reject });
  });
}

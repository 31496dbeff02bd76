// A link from one lesson to another asks for the list of files, which is not here: it is led to the lesson.
location.replace(`../notebooks/index.html${location.search}`);

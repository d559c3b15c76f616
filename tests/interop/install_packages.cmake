# Installs the packages of package-lock.json into FOLDER (which holds a copy of
# it), with NPM and NODE; a second run with the same lock does nothing. A test
# that others need: whatever is missing makes it fail, and says so.
if(NOT NODE OR NOT NPM)
  message(FATAL_ERROR "node and npm are needed: run deploy/install-packages")
endif()
execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE version
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "^v([0-9]+).*" "\\1" major "${version}")
if(major LESS 18)
  message(FATAL_ERROR "Node ${version} is too old: 18 is needed")
endif()

file(SHA256 ${FOLDER}/package-lock.json lock)
set(stamp ${FOLDER}/node_modules/.installed-lock)
if(EXISTS ${stamp})
  file(READ ${stamp} installed)
  if(installed STREQUAL lock)
    message(STATUS "installed already")
    return()
  endif()
endif()
# --ignore-scripts: the packages are checked against the lock's hashes and run
# nothing of their own while they are installed.
execute_process(
  COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund
  WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "npm ci failed (${result}): is the npm registry reachable?")
endif()
file(WRITE ${stamp} ${lock})

# Runs Verilator and writes the one translation unit that includes what it made.
#   cmake -DVERILATOR= -DNAME= -DTOP= -DDIR= -DPARAMETERS= -DSOURCES= -DINCLUDE= -DOPTIONS= -P this
file(REMOVE_RECURSE ${DIR})
file(MAKE_DIRECTORY ${DIR})
execute_process(
  COMMAND ${VERILATOR} --cc --top-module ${TOP} --prefix V${NAME} --Mdir ${DIR} -I${INCLUDE}
          ${OPTIONS} ${PARAMETERS} ${SOURCES}
  RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "verilator could not read ${TOP}:\n${text}")
endif()
file(GLOB parts RELATIVE ${DIR} ${DIR}/V${NAME}*.cpp)
list(SORT parts)
set(unit "")
foreach(part ${parts})
  string(APPEND unit "#include \"${part}\"\n")
endforeach()
file(WRITE ${DIR}/${NAME}.cpp "${unit}")

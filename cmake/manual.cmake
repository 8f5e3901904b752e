# Manual pages and completion for shells, written by the program itself from what its --help says,
# and the documentation.
if(NOT CMAKE_CROSSCOMPILING)
    set(manual ${CMAKE_BINARY_DIR}/man1)
    add_custom_command(OUTPUT ${manual}/eex.1
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
        COMMAND eex help --man ${manual}
        COMMAND eex help --completion bash > ${manual}.bash
        COMMAND eex help --completion zsh > ${manual}.zsh
        DEPENDS eex COMMENT "Manual pages" VERBATIM)
    add_custom_target(eex_manual ALL DEPENDS ${manual}/eex.1)
    install(DIRECTORY ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program OPTIONAL)
    install(FILES ${manual}.bash RENAME eex COMPONENT program OPTIONAL
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${manual}.zsh RENAME _eex COMPONENT program OPTIONAL
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES ${pages} README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs/pictures DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
